/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ghosts of processes that came into being on a node. The parent's ghost starts bproc-birth, which
 * asks here what is to be born and forks it, so that it is the child of that ghost as the process
 * is the parent's. masterd itself forks those whose parent has no ghost, or one that cannot.
 *
 * Life: birth_request(); its turn, when the parent's ghost is there and not stopped; then the new
 * ghost connects (ghost.h) and the birth is over. A process whose number is taken on the master
 * stays without a ghost. The births of one user do not keep those of another waiting.
 */
#ifndef MASTERD_BIRTH_H
#define MASTERD_BIRTH_H

#include <sys/types.h>

#include "proto/bproc.h"

/* Once, with the loop made. 0 or -ENOMEM. */
int birth_start(void);
void birth_stop(void);

/* For a registered process; `born` is copied. 0 or -ENOMEM. */
int birth_request(const born_msg *born, int node);

/* What bproc-birth, process `helper`, asks for. 0; -EPERM when nobody has told it. Borrowed. */
int birth_find(pid_t helper, int pid, ghost_fork_arg *birth);

/* Its process is no more, or on another node by now. */
void birth_forget(int pid, int node);
void birth_move(int pid, int node, int to);

/* The ghost of process `parent` says what became of a child's: 0 or an errno. */
void birth_forked(int parent, int pid, int error);

/* The ghost of process `parent` has ended: it sees to nothing more. */
void birth_parent_gone(int parent);

#endif
