/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders: what root asks a node itself to do. An order goes over the node's link as a call; the
 * client that asked gets his answer when the node has given its own, when the node is lost, or when
 * the order's time is over. A client that goes away is forgotten, his order stands.
 */
#ifndef MASTERD_ORDER_H
#define MASTERD_ORDER_H

#include "common/conn.h"
#include "masterd/nodetable.h"

struct order_plan {
    bproc_proc proc;
    xdrproc_t encode;           /* of `body`; the body is needed for order_give() only */
    const void *body;
    int seconds;                /* then it has failed with ETIMEDOUT */
    int until_gone;             /* done when the node is lost, not when it says that it obeys */
    /* The order has failed; NULL: nobody needs to know. */
    void (*on_failed)(struct node *node, const char *reason);
};

/*
 * Sends the order to a connected node. `asker` NULL: nobody waits for it. 0, or -errno, and then
 * nothing has been answered.
 */
int order_give(struct node *node, const struct order_plan *plan, struct conn *asker,
               const struct frame_header *asked);

/* The node's reply to an order; others are ignored. */
void order_answered(struct node *node, const struct frame_header *header, const uint8_t *body);

void orders_node_lost(struct node *node);
void orders_client_gone(const struct conn *asker);

#endif
