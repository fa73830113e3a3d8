/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/bproc.h>

#include "common/log.h"
#include "masterd/libraries.h"
#include "masterd/link.h"
#include "masterd/nodecalls_impl.h"
#include "masterd/nodepower.h"
#include "masterd/token.h"

#define MODE_BITS 0111u

int call_node(struct call *call, int number, struct node **node)
{
    *node = node_find(number);
    if (!*node)
        return call_refuse(call, BE_INVALIDNODE, "there is no node %d", number);
    if (!(*node)->link)
        return call_refuse(call, BE_NODEDOWN, "node %d is down", number);
    return 0;
}

/* Whether it is connected or not: its slave daemon, as it runs now, is not let in any more. */
static int set_down(struct call *call, struct node *node)
{
    int before = node->held;

    node->held = 1;
    if (node_store(node) < 0) {
        node->held = before;
        return call_refuse(call, EIO, "cannot store the state of the node");
    }
    link_close(node->link, "set down by the administrator");
    node_event(node, NODE_EV_SET_DOWN, "set down by the administrator");
    return 0;
}

/* An order to come up to a node that was set down lets it in; it is up when it has come. */
static int let_in(struct call *call, struct node *node)
{
    node->held = 0;
    if (node_store(node) == 0)
        return 0;
    node->held = 1;
    return call_refuse(call, EIO, "cannot store the state of the node");
}

static int power_run(struct call *call, struct node *node, node_state what)
{
    int error = nodepower_start(node, what);

    return error ? call_refuse(call, -error, "cannot tell node %d: %s", node->number,
                               strerror(-error)) : 0;
}

int set_state_run(struct call *call)
{
    static const int events[] = {
        [NODE_UNAVAILABLE] = NODE_EV_SET_UNAVAILABLE, [NODE_ERROR] = NODE_EV_SET_ERROR,
        [NODE_UP] = NODE_EV_SET_UP
    };
    set_state_arg arg;
    struct node *node;
    int error;

    if (DECODE(call, set_state_arg, &arg) < 0)
        return -EPROTO;
    if ((unsigned)arg.state > NODE_PWROFF)
        return call_refuse(call, EINVAL, "this state cannot be set");
    node = node_find(arg.node);
    if (node && arg.state == NODE_DOWN)
        return set_down(call, node);
    if (node && arg.state == NODE_UP && node->held)
        return let_in(call, node);
    error = call_node(call, arg.node, &node);
    if (error)
        return error;
    if (node_state_is_leaving(arg.state))
        return power_run(call, node, arg.state);
    if (node_event(node, (enum node_event)events[arg.state], "set by the administrator") < 0)
        return call_refuse(call, EINVAL, "node %d cannot go from %s to %s", arg.node,
                           node_state_name(node->state), node_state_name(arg.state));
    memcpy(node->word, arg.word, sizeof(node->word) - 1);
    return node_store(node) < 0 ? call_refuse(call, EIO, "cannot store the state of the node") : 0;
}

int set_perm_run(struct call *call)
{
    set_perm_arg arg;
    struct node *node;
    int error;

    if (DECODE(call, set_perm_arg, &arg) < 0)
        return -EPROTO;
    error = call_node(call, arg.node, &node);
    if (error)
        return error;
    if (arg.what != PERM_MODE && arg.what != PERM_USER && arg.what != PERM_GROUP)
        return call_refuse(call, EINVAL, "unknown kind of permission");
    if (arg.what == PERM_MODE && (arg.value & ~MODE_BITS))
        return call_refuse(call, EINVAL, "only execute permission means anything for a node");
    if (caller_may_change(call->caller, node, arg.what, arg.value) < 0)
        return call_refuse(call, EPERM, "uid %u may not change this of node %d",
                           (unsigned)call->caller->uid, arg.node);
    if (node_set_perm(node, arg.what, arg.value) < 0)
        return call_refuse(call, EIO, "cannot store the permissions of the node");
    log_info("node %d: permissions are now uid %u gid %u mode %04o (set by uid %u)", arg.node,
             (unsigned)node->uid, (unsigned)node->gid, node->mode, (unsigned)call->caller->uid);
    return 0;
}

int lib_change_run(struct call *call)
{
    lib_change_arg arg;
    int error;

    if (DECODE(call, lib_change_arg, &arg) < 0)
        return -EPROTO;
    error = libraries_change(&arg);
    if (!error && arg.what == LIB_CLEAR)
        log_info("library list: cleared");
    else if (!error)
        log_info("library list: %s %s", arg.pattern, arg.what == LIB_ADD ? "added" : "deleted");
    frame_free(FRAME_XDR(lib_change_arg), &arg, sizeof(arg));
    return error ? call_refuse(call, -error, "cannot change the library list: %s",
                               strerror(-error)) : 0;
}

int token_create_run(struct call *call)
{
    token_arg arg;
    token_ret *ret;
    int error;

    if (DECODE(call, token_arg, &arg) < 0)
        return -EPROTO;
    if (arg.node != -1 && !node_find(arg.node))
        return call_refuse(call, BE_INVALIDNODE, "there is no node %d", arg.node);
    ret = ANSWER(call, token_ret);
    if (!ret)
        return call_no_memory(call);
    error = token_create(arg.node, arg.ttl_seconds, ret);
    return error ? call_refuse(call, -error, "cannot make a token: %s", strerror(-error)) : 0;
}
