/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes of nodes that leave for another node or for the master. The slave leads the transfer
 * (moves/move.h); here is decided whether it may be, and the table is kept.
 *
 * Life of a passage: allow (the node it goes to is told to expect it, by a ticket); ready: the
 * process is entered, or its entry goes over to the other node, and from here on it counts as
 * there; done. Failed at any time undoes it; so does the loss of either node.
 */
#ifndef MASTERD_PASSAGE_H
#define MASTERD_PASSAGE_H

#include "common/conn.h"
#include "masterd/nodetable.h"

/* P_DEPART_* of a slave over its link. 0; -EPROTO for bad bytes. Does not block. */
int passage_message(struct node *from, struct conn *conn, const struct frame_header *header,
                    const uint8_t *body);

/* What goes there fails; what comes from there is undone. */
void passages_node_lost(int node);

#endif
