/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The children of a ghost. Those that it forks on the daemon's word are ghosts of what its process
 * forked on its node, each with the number of its process; their ends are nobody's business here.
 * All others were there before it became a ghost: what becomes of them is to be told.
 */
#ifndef BPROC_GHOST_CHILD_H
#define BPROC_GHOST_CHILD_H

#include "proto/bproc.h"

/*
 * Forks a ghost. 0; -EAGAIN when it got another number and is gone again; -errno. Blocks for the
 * end of that one only. The new ghost has no gate, it connects by itself.
 */
int ghost_child_fork(const ghost_fork_arg *arg);

/* Reaps: hands every change of a child that was not forked here to `tell`. Does not block. */
void ghost_child_reap(void (*tell)(const status_msg *change, void *arg), void *arg);

#endif
