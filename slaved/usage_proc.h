/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the processes of the space use, read in the space's own /proc, whose numbers are the ones
 * that users know.
 */
#ifndef BPROC_SLAVED_USAGE_PROC_H
#define BPROC_SLAVED_USAGE_PROC_H

#include "proto/bproc.h"

/*
 * Fills count and procs of *usage from the /proc that `dir` is open on; `uptime_ms` is the
 * machine's. Init and the helpers that are the same program are left out. procs has room for
 * BPROC_MAX_USAGE; if there are more processes it gets those with the most CPU time. 0 or -errno.
 * Blocks: the kernel lets a reader of a command line wait while the process changes its memory.
 */
int usage_proc_read(int dir, uint64_t uptime_ms, node_usage *usage);

/* Frees the command lines. */
void usage_proc_free(node_usage *usage);

#endif
