/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What remains of a process that has gone elsewhere itself, by a rexec, an execmove or a move: it
 * waits for the daemon's verdict with all signals blocked and becomes the ghost, or ends where
 * nobody needs one.
 */
#ifndef BPROC_REMAIN_H
#define BPROC_REMAIN_H

#include "libbproc/depart.h"

struct remain {
    gate_verdict verdict;               /* GATE_GHOST or GATE_END */
    int node;
};

/*
 * The daemon's refusal comes on the connection, its consent at the gate. 0 with *remain, or -errno:
 * the process is here as before. Blocks.
 */
int remain_wait(struct remain *remain, int gate, int conn);

/* Returns only when the ghost cannot be executed: -errno. All others as for ghost_exec(). */
int remain_become(const struct remain *remain, int gate, pid_t parent, char *const argv[]);

#endif
