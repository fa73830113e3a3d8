/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moves whose transfer has broken off and that may have done so because their node is lost: that
 * shows on the transfer's own connection first, or on the link, as it happens, and all who were on
 * their way there are to be told the same.
 *
 * Life: doubt_begin() in the place of move_fail(). The move fails with BE_SLAVEDIED when the link
 * is lost within a moment, or while the node owes the daemon an answer (moves_node_lost()), else
 * with what it would have failed with, or by whatever else happens to it; move_free() ends the
 * doubt with it.
 */
#ifndef MOVES_DOUBT_H
#define MOVES_DOUBT_H

#include "moves/move.h"

/* Lets go of the mover's child, and fails the move now, or in a moment. Does not block. */
void doubt_begin(struct move *move, int error, const char *reason);

/* Whether that has begun: it has failed, and nothing good is to come of it. */
int doubt_has(const struct move *move);

/* NULL is allowed. */
void doubt_end(struct doubt *doubt);

#endif
