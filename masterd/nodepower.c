/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/bproc.h>

#include "common/log.h"
#include "masterd/nodepower.h"
#include "masterd/order.h"

#define POWER_SECONDS 300       /* a machine may take that long to end what runs on it */

static enum node_event event_of(node_state state)
{
    switch (state) {
    case NODE_UP: return NODE_EV_SET_UP;
    case NODE_UNAVAILABLE: return NODE_EV_SET_UNAVAILABLE;
    case NODE_REBOOT: return NODE_EV_SET_REBOOT;
    case NODE_HALT: return NODE_EV_SET_HALT;
    case NODE_PWROFF: return NODE_EV_SET_PWROFF;
    default: return NODE_EV_SET_ERROR;      /* its node_up was cut short, or it was in error */
    }
}

static void power_failed(struct node *node, const char *reason)
{
    log_warnx("node %d: cannot %s: %s", node->number, node_state_name(node->state), reason);
    if (node->link && node_state_is_leaving(node->state))
        node_event(node, event_of(node->before_power), "the order has failed");
}

static int power_give(struct node *node, node_state what, struct conn *asker,
                      const struct frame_header *asked)
{
    power_arg arg = { .node = node->number, .what = what };
    struct order_plan plan = { .proc = P_NODE_POWER, .encode = FRAME_XDR(power_arg), .body = &arg,
                               .seconds = POWER_SECONDS, .until_gone = 1,
                               .on_failed = power_failed };
    int error = order_give(node, &plan, asker, asked);

    if (error)
        return error;
    if (!node_state_is_leaving(node->state))
        node->before_power = node->state;
    node_event(node, event_of(what), "set by the administrator");
    return 0;
}

int nodepower_start(struct node *node, node_state what)
{
    return power_give(node, what, NULL, NULL);
}

void nodepower_changed(struct node *node, node_state what)
{
    if (node_state_is_leaving(node->state) && node_state_is_leaving(what))
        node_event(node, event_of(what), "the node says so");
}

void nodepower_take(struct conn *conn, const struct caller *caller,
                    const struct frame_header *header, const uint8_t *body)
{
    struct node *node;
    power_arg arg;
    int error;

    if (conn_decode(power_arg, header, body, &arg) < 0) {
        conn_close(conn, "arguments do not decode");
        return;
    }
    node = node_find(arg.node);
    if (caller->uid != 0)
        conn_refuse(conn, header, EPERM, "only root may do this");
    else if (!node_state_is_leaving(arg.what))
        conn_refuse(conn, header, EINVAL, "nothing that a node can be told to do");
    else if (!node)
        conn_refuse(conn, header, BE_INVALIDNODE, "there is no node %d", arg.node);
    else if (!node->link)
        conn_refuse(conn, header, BE_NODEDOWN, "node %d is down", arg.node);
    else if ((error = power_give(node, arg.what, arg.wait ? conn : NULL, header)) < 0)
        conn_refuse(conn, header, error, "cannot tell node %d: %s", arg.node, strerror(-error));
    else if (!arg.wait)
        conn_reply(conn, header, NULL, NULL);
}
