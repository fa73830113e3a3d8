/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of a move share: move.c, its life and its end; handover.c, how it begins; gate.c,
 * the processes that wait; channel.c, the mover's child; doubt.c, whether that failed by the node's
 * end; account.c, what is said of it when it has succeeded.
 */
#ifndef MOVES_MOVE_IMPL_H
#define MOVES_MOVE_IMPL_H

#include <stdint.h>

#include "moves/move.h"

LIST_HEAD(move_list, move);
extern struct move_list moves;
extern struct event_base *moves_base;
extern const struct move_ops *moves_ops;

/* Monotonic, in microseconds. */
int64_t move_clock(void);

/* Whether another move of the same process is not over yet. */
int move_is_double(const struct move *self);

/* Frees all that it holds, its part in the list included. */
void move_free(struct move *move);

/* It has succeeded: the client is answered, and the move is gone. */
void move_end(struct move *move);
void move_end_dump(struct move *move);

#endif
