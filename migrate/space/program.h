/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Launching a program: a child that becomes what its specification says.
 *
 * All that takes memory is done before the fork, by who launches. The child of a keeper then sets
 * itself up beside it, in the same memory (pidfork_beside()), so that no page is copied for what
 * the exec throws away. What it reads stays until it has executed and somebody tidies up.
 * It does not execute before the keeper has answered for it.
 * A child of init's has a copy, as no process of a user's is to share init's memory even for that
 * while: what kills it may take along who shares its memory. So has one of a keeper's before Linux
 * 5.16: what dumps core there as it is executed would end the keeper, as if by the user's signal.
 */
#ifndef BPROC_SPACE_PROGRAM_H
#define BPROC_SPACE_PROGRAM_H

#include "proto/msg.h"

/*
 * What a P_LAUNCH_EXEC asks for; `fallback` is the process group for one whose own cannot be had
 * (0: one for itself). 0 when the fork is done; -EPROTO, -EEXIST, -ENOMEM, what reading the
 * specification said. An errno of what follows comes at the status socket of the message, whose
 * descriptors stay the caller's. Does not block.
 */
int program_start(const struct msg *msg, pid_t fallback);

/* In a keeper, when it has answered: what it has started may be executed. */
void programs_release(void);

/* Lets go of what was kept for those that have executed or ended. */
void programs_tidy(void);

#endif
