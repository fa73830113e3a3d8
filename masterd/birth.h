/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ghosts of processes that came into being on a node. The parent's ghost forks them, so that they
 * are its children as the processes are the parent's; masterd itself forks those whose parent has
 * none. The number must be the process's: the kernel's count is set to the one before it for as
 * long as the fork takes, so there is one birth at a time.
 *
 * Life: birth_request(); a turn when nobody else is being born; attempts, as others fork here as
 * well and may take the number; then the new ghost connects (ghost.h) and the birth is over. A
 * process whose number is taken on the master stays without a ghost. One user's births do not make
 * another's wait for more than one of them.
 */
#ifndef MASTERD_BIRTH_H
#define MASTERD_BIRTH_H

#include "proto/bproc.h"

/* Once, with the loop made. 0 or -ENOMEM. */
int birth_start(void);
void birth_stop(void);

/* For a registered process; `born` is copied. 0 or -ENOMEM. */
int birth_request(const born_msg *born, int node);

/* The parent's ghost says what became of the fork: 0 or an errno. */
void birth_forked(int pid, int error);

#endif
