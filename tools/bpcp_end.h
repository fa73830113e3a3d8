/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of a copy, on the machine where the files are, as the user. bpcp sends itself there
 * under another name: once as the source, which writes a stream to its stdout, and to each node
 * that gets a copy as the target, which reads it from its stdin, and bpcp's orders with it. A
 * target sends itself to the next one (bpcp_link.h).
 *
 *   bproc-copy source [-rt] [-H] [-C DIR] [-l LABEL] PATH...
 *   bproc-copy target [-bdp] [-H] [-C DIR] [-l LABEL] [-s SUFFIX] PATH ASKED...
 *   bproc-copy link NAME POSITION
 */
#ifndef TOOLS_BPCP_END_H
#define TOOLS_BPCP_END_H

#define END_NAME "bproc-copy"

/* The whole life of a process whose argv[0] is END_NAME. The number of errors. Blocks. */
int end_main(int argc, char **argv);

#endif
