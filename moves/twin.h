/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The twin of a process that leaves: a child of its own, without its large memory, that is dumped
 * in its place.
 */
#ifndef MOVES_TWIN_H
#define MOVES_TWIN_H

#include "moves/move.h"

/*
 * What waits at its gate is fit to be dumped, with a twin_msg when it has a twin. 0: what is dumped
 * is known, and whose memory travels beside it; else a positive errno with a reason.
 */
int twin_take(struct move *move, const struct frame_header *header, const uint8_t *body,
              char *text, size_t len);

#endif
