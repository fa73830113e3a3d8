/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The end of a helper process that cannot go on. Each subcommand of bplab-run is a process of its
 * own, and what it held (namespaces, mounts, descriptors) goes with it, so that a failure needs a
 * line for the user and nothing else.
 */

#ifndef BPROC_LAB_DIE_H
#define BPROC_LAB_DIE_H

/* Writes "bplab: " and the message to stderr and ends the process by _exit(STATUS). Messages read
 * "cannot VERB OBJECT: REASON". Never returns. */
_Noreturn void die(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
