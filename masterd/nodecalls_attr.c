/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "masterd/listen.h"
#include "masterd/nodecalls_impl.h"

/* The two that the master knows best. */
static int attr_of_table(int number, const char *name, char *text, size_t len)
{
    const struct node *node = node_find(number);
    struct in_addr addr = { htonl(node ? node->addr : listen_address()) };

    if (strcmp(name, "bproc.state") == 0)
        snprintf(text, len, "%s", node_state_name(node ? node->state : NODE_UP));
    else if (strcmp(name, "bproc.addr") != 0 || !inet_ntop(AF_INET, &addr, text, (socklen_t)len))
        return 0;
    return 1;
}

int attr_run(struct call *call)
{
    char text[BPROC_MAX_ATTR_VALUE];
    struct nodeattr found = { .len = 0 };
    const struct nodeattr *attr = NULL;
    struct node *node;
    attr_ret *ret;
    attr_arg arg;

    if (DECODE(call, attr_arg, &arg) < 0)
        return -EPROTO;
    node = node_find(arg.node);
    if (!node && arg.node != BPROC_NODE_MASTER) {
        frame_free(FRAME_XDR(attr_arg), &arg, sizeof(arg));
        return call_refuse(call, BE_INVALIDNODE, "there is no node");
    }
    if (attr_of_table(arg.node, arg.name, text, sizeof(text))) {
        found.len = (unsigned)strlen(text);
        memcpy(found.value, text, found.len);
        attr = &found;
    } else if (node && node->link) {
        attr = nodeattr_find(&node->attrs, arg.name);
    }
    frame_free(FRAME_XDR(attr_arg), &arg, sizeof(arg));
    if (!attr)
        return call_refuse(call, ENODATA, "there is no such attribute");
    ret = ANSWER(call, attr_ret);
    if (ret)
        ret->value.value_val = malloc(attr->len + 1);
    if (!ret || !ret->value.value_val)
        return call_no_memory(call);
    ret->value.value_len = attr->len;
    memcpy(ret->value.value_val, attr->value, attr->len);
    return 0;
}

static int attr_set(struct call *call, const set_attr_arg *arg)
{
    struct node *node;
    int error = call_node(call, arg->node, &node);

    if (error)
        return error;
    if (strcmp(arg->attr.name, "bproc.addr") == 0 || strcmp(arg->attr.name, "bproc.state") == 0)
        return call_refuse(call, EPERM, "this attribute is not to be set");
    error = node_set_attr(node, arg->attr.name, arg->attr.value.value_val,
                          arg->attr.value.value_len);
    if (!error)
        error = node_store(node);
    return error ? call_refuse(call, -error, "cannot set the attribute: %s", strerror(-error)) : 0;
}

int set_attr_run(struct call *call)
{
    set_attr_arg arg;
    int error;

    if (DECODE(call, set_attr_arg, &arg) < 0)
        return -EPROTO;
    error = attr_set(call, &arg);
    frame_free(FRAME_XDR(set_attr_arg), &arg, sizeof(arg));
    return error;
}
