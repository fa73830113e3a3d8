/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/bproc.h>
#include <sys/socket.h>

#include "common/log.h"
#include "common/tls.h"
#include "masterd/heartbeat.h"
#include "masterd/join.h"
#include "masterd/link_impl.h"
#include "masterd/master.h"
#include "masterd/nodeghost.h"
#include "masterd/nodeup.h"
#include "masterd/pids.h"
#include "masterd/proctable.h"
#include "masterd/usage.h"

void hello_join(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    char name[64];

    link_name(link, name, sizeof(name));
    if (join_begin(link->conn, header, body, link->addr, name) < 0)
        conn_close(link->conn, "arguments do not decode");
}

/*
 * Its slave daemon was set down: it asks again and again until it is let in, or started anew. That
 * is no news for the log.
 */
static int hello_is_held(struct link *link, const struct frame_header *header,
                         const hello_arg *hello)
{
    struct node *node = node_at(hello->node);

    if (!node->held || node->instance != hello->instance)
        return 0;
    conn_refuse(link->conn, header, ESHUTDOWN, "node %d was set down by the administrator",
                hello->node);
    conn_close_after_send(link->conn);
    return 1;
}

static uint32_t own_address(struct conn *conn)
{
    struct sockaddr_in in = { .sin_family = AF_UNSPEC };
    socklen_t len = sizeof(in);

    return getsockname(conn_fd(conn), (struct sockaddr *)&in, &len) < 0 ? 0
                                                                       : ntohl(in.sin_addr.s_addr);
}

static int hello_check(struct link *link, const struct frame_header *header, const hello_arg *hello)
{
    struct node *node = node_at(hello->node);
    char text[200] = "";

    if (hello->node != tls_node_number(link->number))
        snprintf(text, sizeof(text), "the certificate names node %d, not %d", link->number,
                 hello->node);
    else if (!node)
        snprintf(text, sizeof(text), "there is no node %d in the configuration", hello->node);
    else if (hello->data_port == 0 || hello->data_port > 65535)
        snprintf(text, sizeof(text), "node %d names no data port", hello->node);
    else if (link->number == TLS_NODE_HOME && link->addr != own_address(link->conn))
        snprintf(text, sizeof(text), "the home slave is not on this machine");
    else if (link->number >= 0 && conf_addr_of(master.conf, node->number) != 0 &&
             conf_node_of(master.conf, link->addr) != node->number)
        snprintf(text, sizeof(text), "the configuration gives node %d another address",
                 node->number);
    else if (!join_certificate_is_current(node, conn_ssl(link->conn)))
        snprintf(text, sizeof(text), "node %d has joined anew since this certificate was made",
                 node->number);
    if (!text[0])
        return 0;
    conn_refuse(link->conn, header, EPERM, "%s", text);
    link_refuse(link, "%s", text);
    return -EPERM;
}

/*
 * What runs there: processes of a time before our start come back to their ghosts; those that we
 * gave up when the link broke have to go.
 */
static void hello_procs(struct node *node, const hello_arg *hello)
{
    int ours = hello->master_instance == master.instance;

    for (unsigned i = 0; ours && i < hello->born.born_len; i++)
        link_kill(node, hello->born.born_val[i]);
    for (unsigned i = 0; i < hello->procs.procs_len; i++) {
        const launch_done *proc = &hello->procs.procs_val[i];

        if (ours || proctable_adopt(node, proc->pid, proc->uid) < 0)
            link_kill(node, proc->pid);
    }
    for (unsigned i = 0; i < hello->ghosts.ghosts_len; i++)
        nodeghost_adopt(&hello->ghosts.ghosts_val[i], node->number, ours);
    proctable_adopted(node);
}

static void node_attach(struct link *link, const hello_arg *hello, const hello_ret *ret)
{
    struct node *node = node_at(hello->node);
    int same = node->instance == hello->instance && hello->master_instance != master.instance;

    if (node->link)
        link_close(node->link, "replaced by a new connection");
    link->node = node;
    link_settle(link, LINK_UP);
    node->link = link;
    node->addr = link->addr;
    node->data_port = hello->data_port;
    node->instance = hello->instance;
    node->held = 0;
    node->numbers = ret->numbers;
    if (node->number == BPROC_NODE_MASTER)
        log_info("the home slave is connected");
    if (node->number == BPROC_NODE_MASTER || (same && node_return(node) == 0))
        return;
    nodeattr_clear(&node->attrs);
    for (unsigned i = 0; i < hello->attrs.attrs_len; i++) {
        const node_attr *attr = &hello->attrs.attrs_val[i];

        node_set_attr(node, attr->name, attr->value.value_val, attr->value.value_len);
    }
    node_event(node, NODE_EV_CONNECT, "connected");
    nodeup_start(node);
}

/* Nothing that comes over it counts before the last that comes over the old one. */
static void hello_reconnects(struct link *link, const struct frame_header *header,
                             const hello_arg *hello, const hello_ret *ret)
{
    struct node *node = node_at(hello->node);
    struct timeval deadline = { HANDSHAKE_SECONDS, 0 };

    if (!node->link || node->instance != hello->instance || link_spare(node)) {
        conn_refuse(link->conn, header, EINVAL, "there is no connection to switch from");
        conn_close_after_send(link->conn);
        return;
    }
    link->phase = LINK_SPARE;
    link->node = node;
    conn_reply(link->conn, header, FRAME_XDR(hello_ret), ret);
    conn_pause(link->conn, 1);
    event_add(link->on_deadline, &deadline);
}

/*
 * The old link has no more to say. What is queued on it still goes out; the slave reads that to its
 * end before it listens to the new one.
 */
void hello_switch(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    struct node *node = link->node;
    struct link *spare = link_spare(node);
    char name[64];

    (void)header;
    (void)body;
    if (!spare) {
        conn_close(link->conn, "no other connection to switch to");
        return;
    }
    link->phase = LINK_LEFT;
    heartbeat_end(link);
    usage_client_moved(link->conn, spare->conn);
    conn_close_after_send(link->conn);
    link_settle(spare, LINK_UP);
    node->link = spare;
    node->addr = spare->addr;
    conn_pause(spare->conn, 0);
    log_info("node %d: connected anew from %s", node->number, link_name(spare, name, sizeof(name)));
}

void hello_take(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    hello_ret ret = { .master_instance = master.instance,
                      .ping_timeout = (unsigned)master.conf->ping_timeout,
                      .io_direct = (unsigned)master.conf->io_direct,
                      .cache_size = master.conf->cache_size };
    hello_arg hello;

    if (conn_decode(hello_arg, header, body, &hello) < 0) {
        conn_close(link->conn, "arguments do not decode");
        return;
    }
    ret.numbers = pids_block(hello.node, nodetable_size());
    if (hello_check(link, header, &hello) < 0 || hello_is_held(link, header, &hello)) {
        log_debug("node %d: not let in", hello.node);
    } else if (hello.reconnect) {
        hello_reconnects(link, header, &hello, &ret);
    } else {
        node_attach(link, &hello, &ret);
        conn_reply(link->conn, header, FRAME_XDR(hello_ret), &ret);
        hello_procs(link->node, &hello);
    }
    frame_free(FRAME_XDR(hello_arg), &hello, sizeof(hello));
}
