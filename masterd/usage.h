/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What nodes and their processes use. Nothing is gathered unless somebody asks: a call makes a
 * waiter, and nodes whose last answer is older than a second are asked over their links. When all
 * have answered, or after two seconds, every waiter gets what there is; a node that has told
 * nothing lately is left out. What nobody asks for any more is forgotten.
 */
#ifndef MASTERD_USAGE_H
#define MASTERD_USAGE_H

#include "common/conn.h"

struct node;

/*
 * Takes a client's P_NODE_USAGE, whose arguments are `body`, or with `passed` that of a slave's
 * client, whose answer is to be wrapped. The reply to `header` comes later, a refusal maybe at
 * once. 0, or -EPROTO when the arguments do not decode.
 */
int usage_ask(struct conn *conn, const struct frame_header *header, const uint8_t *body,
              size_t len, int passed);

/* The connection is over: nobody is there to be answered. */
void usage_client_gone(struct conn *conn);

/* A node's link goes on over another connection, and what it has asked for goes there. */
void usage_client_moved(const struct conn *from, struct conn *to);

/* A node's answer. 0, or -EPROTO when it does not decode or speaks for another node. */
int usage_take(struct node *node, const uint8_t *body, size_t len);

/* The node's link is over. */
void usage_node_lost(struct node *node);

void usage_stop(void);

#endif
