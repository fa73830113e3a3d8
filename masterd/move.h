/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process leaves for a node. Life of a move: the caller asks (move_ask(), nothing is kept), then
 * hands the process over; the mover is told; READY: the process waits on the node and is entered in
 * the table; COMMIT; COMMITTED: it runs there and the gate opens, so that what waits here becomes
 * the ghost; HELLO: the ghost is there, the caller gets the pid and the move ends.
 *
 * Whatever fails before that, the caller or the gate going away included, undoes it: before COMMIT
 * by closing the mover's channel, after it by killing the process on the node.
 */
#ifndef MASTERD_MOVE_H
#define MASTERD_MOVE_H

#include "common/conn.h"
#include "masterd/caller.h"
#include "masterd/nodetable.h"

/* Answer P_MOVE_ASK and P_MOVE_HANDOVER of a client; a refusal is an answer, too. */
void move_ask(struct conn *conn, const struct caller *caller, const struct frame_header *header,
              const uint8_t *body);
void move_handover(struct conn *conn, const struct caller *caller,
                   const struct frame_header *header, const uint8_t *body, int *fds);

/* The client's connection is over. */
void move_client_gone(struct conn *conn);

/* Moves to this node fail with BE_SLAVEDIED. */
void moves_node_lost(struct node *node);

#endif
