/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gates of a move: sockets at whose other ends processes wait to be told what they are from now
 * on. Who waits at the move's own gate becomes the ghost, or ends; at that of the copy waits what
 * is dumped in place of who moves.
 *
 * Life: gate_open() takes the descriptor that came with the handover; P_GATE_REACHED lets the dump
 * begin; gate_tell() gives the verdict; what becomes the ghost says hello, by which the move ends;
 * gate_end(). A gate that closes before that makes the move fail. Nothing here blocks.
 */
#ifndef MOVES_GATE_H
#define MOVES_GATE_H

#include "moves/move.h"

/* Takes `fd`. NULL when there is no memory. */
struct conn *gate_open(struct move *move, int fd);

/* The verdict, to who waits there; nothing for a NULL. */
void gate_tell(struct conn *gate, gate_verdict verdict, int node);

/* The ghost is there, and the gate is open: the move ends, well or not. */
void gate_hello(struct move *move);

/* Closes it once all is sent, without a word to the move; nothing for a NULL. */
void gate_end(struct conn *gate);

#endif
