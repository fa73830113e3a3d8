/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the forms of bproc_rfork() come down to. */
#ifndef BPROC_RFORK_H
#define BPROC_RFORK_H

#include "libbproc/flight.h"

/* 0, or -EINVAL when `flags` has bits that are none. */
int rfork_check(int flags);

/* As _bproc_rfork_io(), but -errno; `flags` may be DEPART_NO_FLAGS. */
int rfork_run(int node, int flags, const struct io *io);

/*
 * What was pending when the child was dumped is the ghost's, which passes it on. It is forgotten on
 * the node before anything can come from there. With all signals blocked.
 */
void rfork_signals_discard(void);

/* A process at its gate says that it is fit, with `error` 0, or why it is not. */
void rfork_gate_reach(int gate, int error);

/* What an image has not: to be asked for before the process is fit, as it may be dumped then. */
int rfork_persona(void);

/*
 * It waits there for what it is from now on; where it arrives it settles first, with `cwd` for its
 * directory and that persona. Meanwhile it may be told to fork others of its vector, which then
 * wait as it does, at gates of their own. Blocks.
 */
gate_verdict rfork_gate_pass(int gate, const char *cwd, int persona,
                             const struct flight_plan *plan, int *node, int *rank);

/* Fills in how a fork flies; `io` must last as long as the plan. */
void rfork_plan(struct flight_plan *plan, int node, int flags, const struct io *io);

#endif
