/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said of a move that has succeeded: a line in the log, from which one sees where the time
 * went, and the bytes that it took.
 *
 * Life: account_close() says it at once, but of a program that its node has committed before the
 * mover's child could report: then the channel to that child is kept for as long as it takes the
 * report, and the move ends without it. A child that goes without a word, the end of the link to
 * the node and that of the daemon close the account, too; then nobody knows more than the time it
 * took as a whole. Nothing here blocks.
 */
#ifndef MOVES_ACCOUNT_H
#define MOVES_ACCOUNT_H

#include "moves/move.h"

/* The name of a kind, for words. */
const char *account_kind(move_kind kind);

/* May take the channel. */
void account_close(struct move *move);

/* A node is lost; every one is. */
void accounts_node_lost(int node);
void accounts_end(void);

#endif
