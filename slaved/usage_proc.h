/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the processes of the space use, read in the space's own /proc, whose numbers are the ones
 * that users know.
 */
#ifndef BPROC_SLAVED_USAGE_PROC_H
#define BPROC_SLAVED_USAGE_PROC_H

#include "proto/bproc.h"

/* Puts them in order for usage_proc_read(). */
void usage_proc_sort(seconds_msg *seconds);

/*
 * Adds to count and procs of *usage what is in the /proc that `dir` is open on: the space's, where
 * processes with a number in `seconds`, which is sorted, are not looked at, or with `second` that
 * of the second space, where they alone are. `uptime_ms` is the machine's. Init and the helpers
 * that are the same program are left out. procs has room for BPROC_MAX_USAGE; if there are more
 * processes it gets those with the most CPU time. 0 or -errno. Blocks: the kernel lets a reader of
 * a command line wait while the process changes its memory.
 */
int usage_proc_read(int dir, uint64_t uptime_ms, const seconds_msg *seconds, int second,
                    node_usage *usage);

/* Frees the command lines; there are no processes then. */
void usage_proc_free(node_usage *usage);

#endif
