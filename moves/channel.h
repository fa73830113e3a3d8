/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The channel of a move to the mover's child that does the transfer.
 *
 * Life: channel_start() makes it and has the child started; channel_dump() lets that dump;
 * move_commit() lets the process run, or tells the child that it does; what the child reports
 * drives the move on, and the end of the channel before the process runs makes the move fail.
 * Nothing here blocks.
 */
#ifndef MOVES_CHANNEL_H
#define MOVES_CHANNEL_H

#include "moves/move.h"

/* 0 or -errno: then there is no channel to be ended, or move_free() does it. */
int channel_start(struct move *move, const struct move_place *place);

/*
 * Nothing of what the child has to say counts any more, and it ends, or is free if it has said so.
 * Nothing if it has gone.
 */
void channel_leave(struct move *move);

/* What is to be dumped is fit for it. */
void channel_dump(struct move *move);

#endif
