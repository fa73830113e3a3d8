/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/bproc.h>

#include "common/log.h"
#include "masterd/nodeorder.h"
#include "masterd/order.h"

/* Every argument begins with the node. */
union argument {
    int node;
    reconnect_arg reconnect;
    chroot_arg chroot;
    node_arg purge;
};

struct kind {
    bproc_proc proc;
    xdrproc_t encode;
    size_t size;
    int seconds;
    const char *what;
};

static const struct kind kinds[] = {
    { P_NODE_RECONNECT, FRAME_XDR(reconnect_arg), sizeof(reconnect_arg), 30, "reconnect" },
    { P_NODE_CHROOT, FRAME_XDR(chroot_arg), sizeof(chroot_arg), 60, "change the root" },
    { P_CACHE_PURGE, FRAME_XDR(node_arg), sizeof(node_arg), 120, "empty its file cache" },
};

static const struct kind *kind_find(bproc_proc proc)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].proc == proc)
            return &kinds[i];
    return NULL;
}

static int argument_check(const struct caller *caller, const struct frame_header *header,
                          struct conn *conn, const union argument *arg, struct node **node)
{
    *node = node_find(arg->node);
    if (caller->uid != 0)
        conn_refuse(conn, header, EPERM, "only root may do this");
    else if (!*node)
        conn_refuse(conn, header, BE_INVALIDNODE, "there is no node %d", arg->node);
    else if (!(*node)->link)
        conn_refuse(conn, header, BE_NODEDOWN, "node %d is down", arg->node);
    else
        return 0;
    return -EPERM;
}

void nodeorder_take(struct conn *conn, const struct caller *caller,
                    const struct frame_header *header, const uint8_t *body)
{
    const struct kind *kind = kind_find(header->proc);
    struct order_plan plan;
    union argument arg;
    struct node *node;
    int error;

    if (!kind ||
        frame_decode(kind->encode, body, header->body_len, &arg, kind->size) < 0) {
        conn_close(conn, "arguments do not decode");
        return;
    }
    plan = (struct order_plan){ .proc = kind->proc, .encode = kind->encode, .body = &arg,
                                .seconds = kind->seconds };
    if (argument_check(caller, header, conn, &arg, &node) == 0) {
        log_info("node %d: told to %s", node->number, kind->what);
        error = order_give(node, &plan, conn, header);
        if (error)
            conn_refuse(conn, header, error, "cannot tell node %d: %s", node->number,
                        strerror(-error));
    }
    frame_free(kind->encode, &arg, kind->size);
}
