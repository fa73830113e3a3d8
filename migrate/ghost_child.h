/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The children of a ghost. Those that it is given on the daemon's word are ghosts of what its
 * process forked on its node; their ends are nobody's business here. All others were there before
 * it became a ghost: what becomes of them is to be told.
 */
#ifndef BPROC_GHOST_CHILD_H
#define BPROC_GHOST_CHILD_H

#include <sys/types.h>

#include "proto/bproc.h"

/*
 * Starts bproc-birth, which makes a ghost with that number; ghost_child_reap() hears whether it
 * could. 0 or -errno.
 */
int ghost_child_start(pid_t pid);

/*
 * Reaps. Hands to `tell`, as P_GHOST_FORKED, what became of a start: 0 or an errno; as
 * P_GHOST_CHILD every change of a child that was not made here. Does not block.
 */
void ghost_child_reap(void (*tell)(bproc_proc event, const status_msg *change, void *arg),
                      void *arg);

#endif
