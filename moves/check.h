/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a process may leave at all, wherever its owner wants it: the rules of move.c. */
#ifndef MOVES_CHECK_H
#define MOVES_CHECK_H

#include "moves/move.h"

/* Streams and descriptors: right kinds, right number. 0, or a positive errno with a reason. */
int check_streams(const move_handover_arg *arg, const int *fds, unsigned nfds, char *text,
                  size_t len);

/*
 * The process: the caller's child, for an exec the caller itself, for a move a child of the caller,
 * which is the one that moves; with the caller's ids alone. Fills in who it is and opens its
 * descriptors. 0, or a positive errno with a reason.
 */
int check_task(const struct move_ops *ops, const struct caller *caller, struct move *move,
               char *text, size_t len);

#endif
