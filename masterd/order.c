/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/bproc.h>

#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/order.h"

struct order {
    LIST_ENTRY(order) next;
    struct node *node;
    struct order_plan plan;
    uint32_t serial;
    struct conn *asker;         /* NULL: nobody waits */
    struct frame_header asked;
    struct event *deadline;
};

static LIST_HEAD(, order) orders = LIST_HEAD_INITIALIZER(orders);
static uint32_t last_serial;

/* `error` 0 or a positive errno. */
static void order_end(struct order *order, int error, const char *text)
{
    struct node *node = order->node;
    void (*on_failed)(struct node *, const char *) = error ? order->plan.on_failed : NULL;

    LIST_REMOVE(order, next);
    if (order->asker && error)
        conn_refuse(order->asker, &order->asked, error, "%s", text);
    else if (order->asker)
        conn_reply(order->asker, &order->asked, NULL, NULL);
    event_free(order->deadline);
    free(order);
    if (on_failed)
        on_failed(node, text);
}

static void order_late(evutil_socket_t fd, short what, void *arg)
{
    struct order *order = arg;

    (void)fd;
    (void)what;
    order_end(order, ETIMEDOUT, order->plan.until_gone ? "the node is still there"
                                                       : "the node does not answer");
}

int order_give(struct node *node, const struct order_plan *plan, struct conn *asker,
               const struct frame_header *asked)
{
    struct order *order = calloc(1, sizeof(*order));
    struct timeval limit = { plan->seconds, 0 };
    int error = -ENOMEM;

    if (!order)
        return -ENOMEM;
    order->node = node;
    order->plan = *plan;
    order->plan.body = NULL;
    order->serial = ++last_serial ? last_serial : ++last_serial;
    order->asker = asker;
    if (asker)
        order->asked = *asked;
    order->deadline = evtimer_new(master.base, order_late, order);
    if (order->deadline && event_add(order->deadline, &limit) == 0)
        error = link_call(node, plan->proc, order->serial, plan->encode, plan->body);
    if (!error) {
        LIST_INSERT_HEAD(&orders, order, next);
        return 0;
    }
    if (order->deadline)
        event_free(order->deadline);
    free(order);
    return error;
}

static struct order *order_find(const struct node *node, uint32_t serial)
{
    struct order *order;

    LIST_FOREACH(order, &orders, next)
        if (order->node == node && order->serial == serial)
            break;
    return order;
}

void order_answered(struct node *node, const struct frame_header *header, const uint8_t *body)
{
    struct order *order = order_find(node, header->serial);
    error_ret ret = { .text = NULL };

    if (!order || order->plan.proc != header->proc)
        return;
    if (!header->status) {
        if (!order->plan.until_gone)
            order_end(order, 0, NULL);
        return;
    }
    if (conn_decode(error_ret, header, body, &ret) < 0)
        memset(&ret, 0, sizeof(ret));
    order_end(order, header->status, ret.text ? ret.text : "");
    frame_free(FRAME_XDR(error_ret), &ret, sizeof(ret));
}

void orders_node_lost(struct node *node)
{
    struct order *order, *next;

    for (order = LIST_FIRST(&orders); order; order = next) {
        next = LIST_NEXT(order, next);
        if (order->node == node)
            order_end(order, order->plan.until_gone ? 0 : BE_SLAVEDIED, "the node was lost");
    }
}

void orders_client_gone(const struct conn *asker)
{
    struct order *order;

    LIST_FOREACH(order, &orders, next)
        if (order->asker == asker)
            order->asker = NULL;
}
