/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/bproc.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/tls.h"
#include "masterd/ghost.h"
#include "masterd/join.h"
#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/nodecalls.h"
#include "masterd/nodeghost.h"
#include "masterd/nodepower.h"
#include "masterd/nodeup.h"
#include "masterd/order.h"
#include "masterd/passage.h"
#include "masterd/pids.h"
#include "masterd/proctable.h"
#include "masterd/usage.h"
#include "masterd/watchers.h"
#include "moves/move.h"

#define MAX_STRANGERS 64
#define MAX_STRANGERS_A_HOST 16
#define HANDSHAKE_SECONDS 10

enum link_phase {
    LINK_SHAKING = 1, LINK_STRANGER = 2, LINK_MEMBER = 4, LINK_UP = 8,
    LINK_SPARE = 16,            /* its node will switch to it */
    LINK_LEFT = 32              /* its node has switched to another */
};

struct link {
    LIST_ENTRY(link) entry;
    struct conn *conn;
    struct node *node;          /* set with LINK_UP and LINK_SPARE */
    enum link_phase phase;
    int number;                 /* in the certificate */
    uint32_t addr;              /* host byte order */
    int64_t heard;
    struct event *on_beat;      /* heartbeat; before HELLO the deadline for it */
};

struct link_call {
    bproc_proc proc;
    unsigned kinds;             /* bits 1 << bproc_kind */
    unsigned phases;
    void (*run)(struct link *link, const struct frame_header *header, const uint8_t *body);
};

static LIST_HEAD(, link) links = LIST_HEAD_INITIALIZER(links);
static unsigned strangers;      /* links before LINK_UP */
static SSL_CTX *link_tls;
static struct log_limit link_limit;

static const char *link_name(const struct link *link, char *name, size_t len)
{
    struct in_addr in = { .s_addr = htonl(link->addr) };
    char text[INET_ADDRSTRLEN] = "?";

    inet_ntop(AF_INET, &in, text, sizeof(text));
    snprintf(name, len, "%s", text);
    return name;
}

static void link_settle(struct link *link, enum link_phase phase)
{
    if (link->phase != LINK_UP && phase == LINK_UP)
        strangers--;
    link->phase = phase;
}

/* A member or stranger did what he may not, or what we cannot accept. */
__attribute__((format(printf, 2, 3)))
static void link_refuse(struct link *link, const char *fmt, ...)
{
    char name[64], text[300];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    log_limited(&link_limit, 20, "refused %s: %s", link_name(link, name, sizeof(name)), text);
    conn_close_after_send(link->conn);
}

/* ---- heartbeat ---- */

static int64_t timeout_ms(void)
{
    return (int64_t)master.conf->ping_timeout * 1000;
}

static void beat_arm(struct link *link)
{
    int64_t left = link->heard + timeout_ms() - master_now();
    int64_t period = timeout_ms() / 4;
    int64_t ms = left < period ? left : period;
    struct timeval tv = { ms > 0 ? ms / 1000 : 0, ms > 0 ? ms % 1000 * 1000 : 0 };

    event_add(link->on_beat, &tv);
}

static void link_beat(evutil_socket_t fd, short what, void *arg)
{
    struct link *link = arg;
    char reason[80];

    (void)fd;
    (void)what;
    if (link->phase != LINK_UP) {
        conn_close(link->conn, "did not say who it is in time");
        return;
    }
    if (master_now() - link->heard >= timeout_ms()) {
        snprintf(reason, sizeof(reason), "nothing heard for %d s", master.conf->ping_timeout);
        conn_close(link->conn, reason);
        return;
    }
    conn_send(link->conn, K_CALL, P_PING, 0, 0, NULL, NULL, NULL, 0);
    beat_arm(link);
}

static void ping_take(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    (void)body;
    if (header->kind == K_CALL)
        conn_reply(link->conn, header, NULL, NULL);
}

/* ---- joining and HELLO ---- */

static void join_take(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    char name[64];

    link_name(link, name, sizeof(name));
    if (join_answer(link->conn, header, body, link->addr, name) < 0)
        conn_close(link->conn, "arguments do not decode");
    else
        conn_close_after_send(link->conn);
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
    if (!ours)
        proctable_adopted(node);
}

static void node_attach(struct link *link, const hello_arg *hello, const hello_ret *ret)
{
    struct node *node = node_at(hello->node);
    int same = node->instance == hello->instance && hello->master_instance != master.instance;

    if (node->link)
        link_close(node->link, "replaced by a new connection");
    link_settle(link, LINK_UP);
    link->node = node;
    node->link = link;
    node->addr = link->addr;
    node->data_port = hello->data_port;
    node->instance = hello->instance;
    node->held = 0;
    node->numbers = ret->numbers;
    beat_arm(link);
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

static struct link *spare_of(const struct node *node)
{
    struct link *link;

    LIST_FOREACH(link, &links, entry)
        if (link->phase == LINK_SPARE && link->node == node)
            break;
    return link;
}

/* Nothing that comes over it counts before the last that comes over the old one. */
static void hello_reconnects(struct link *link, const struct frame_header *header,
                             const hello_arg *hello, const hello_ret *ret)
{
    struct node *node = node_at(hello->node);
    struct timeval deadline = { HANDSHAKE_SECONDS, 0 };

    if (!node->link || node->instance != hello->instance || spare_of(node)) {
        conn_refuse(link->conn, header, EINVAL, "there is no connection to switch from");
        conn_close_after_send(link->conn);
        return;
    }
    link->phase = LINK_SPARE;
    link->node = node;
    conn_reply(link->conn, header, FRAME_XDR(hello_ret), ret);
    conn_pause(link->conn, 1);
    event_add(link->on_beat, &deadline);
}

/*
 * The old link has no more to say. What is queued on it still goes out; the slave reads that to its
 * end before it listens to the new one.
 */
static void switch_take(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    struct node *node = link->node;
    struct link *spare = spare_of(node);
    char name[64];

    (void)header;
    (void)body;
    if (!spare) {
        conn_close(link->conn, "no other connection to switch to");
        return;
    }
    link->phase = LINK_LEFT;
    event_del(link->on_beat);
    usage_client_moved(link->conn, spare->conn);
    conn_close_after_send(link->conn);
    link_settle(spare, LINK_UP);
    node->link = spare;
    node->addr = spare->addr;
    spare->heard = master_now();
    beat_arm(spare);
    conn_pause(spare->conn, 0);
    log_info("node %d: connected anew from %s", node->number, link_name(spare, name, sizeof(name)));
}

static void hello_take(struct link *link, const struct frame_header *header, const uint8_t *body)
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

/* ---- what a node reports ---- */

static void status_take(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    status_msg msg;

    if (conn_decode(status_msg, header, body, &msg) < 0)
        conn_close(link->conn, "arguments do not decode");
    else if (header->proc == P_EXITED)
        proctable_exited(link->node, msg.pid, msg.status);
    else
        proctable_stopped(link->node, msg.pid, header->proc == P_STOPPED, msg.status);
}

static void born_take(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    born_msg born;

    if (conn_decode(born_msg, header, body, &born) < 0) {
        conn_close(link->conn, "arguments do not decode");
        return;
    }
    proctable_born(link->node, &born);
    frame_free(FRAME_XDR(born_msg), &born, sizeof(born));
}

static void group_take(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    group_msg group;

    if (conn_decode(group_msg, header, body, &group) < 0)
        conn_close(link->conn, "arguments do not decode");
    else
        proctable_group(link->node, &group);
}

static void pass_answer(struct link *link, const struct frame_header *header,
                        const struct answer *answer)
{
    pass_ret ret = { .body = { 0, NULL } };
    uint8_t *bytes = NULL;
    size_t len = 0;
    int error = 0;

    if (answer->encode)
        error = frame_encode(answer->encode, answer->ret, BPROC_MAX_LIST, &bytes, &len);
    ret.body.body_len = (unsigned)len;
    ret.body.body_val = (char *)bytes;
    if (error)
        conn_refuse(link->conn, header, -error, "answer too long");
    else
        conn_reply(link->conn, header, FRAME_XDR(pass_ret), &ret);
    free(bytes);
}

/* A call that is answered later; others are at once. */
static int pass_later(struct link *link, const struct frame_header *header, const pass_arg *arg)
{
    if (arg->proc != P_NODE_USAGE)
        return 0;
    if (usage_ask(link->conn, header, (const uint8_t *)arg->body.body_val, arg->body.body_len,
                  1) < 0)
        conn_refuse(link->conn, header, EPROTO, "arguments do not decode");
    return 1;
}

static void pass_take(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    struct caller caller = { .node = link->node->number };
    struct answer answer;
    pass_arg arg;
    int error;

    if (conn_decode(pass_arg, header, body, &arg) < 0) {
        conn_close(link->conn, "arguments do not decode");
        return;
    }
    if (pass_later(link, header, &arg)) {
        frame_free(FRAME_XDR(pass_arg), &arg, sizeof(arg));
        return;
    }
    caller.pid = arg.pid;
    caller.uid = arg.uid;
    caller.gid = arg.gid;
    caller.groups = arg.groups.groups_val;
    caller.ngroups = arg.groups.groups_len;
    error = nodecall_run(&caller, arg.proc, 1, (const uint8_t *)arg.body.body_val,
                         arg.body.body_len, &answer);
    if (error == -EPROTO)
        conn_refuse(link->conn, header, EPROTO, "this call cannot be passed on");
    else if (error)
        conn_refuse(link->conn, header, error, "%s", answer.text);
    else
        pass_answer(link, header, &answer);
    answer_free(&answer);
    frame_free(FRAME_XDR(pass_arg), &arg, sizeof(arg));
}

#define CALL (1u << K_CALL)
#define REPLY (1u << K_REPLY)
#define EVENT (1u << K_EVENT)

/* Somebody on the node wants to hear of changes. */
static void notify_take(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    (void)header;
    (void)body;
    if (watchers_add(link->conn, 1) < 0)
        log_warnx("cannot tell node %d of changes: out of memory", link->node->number);
}

static void usage_taken(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    if (usage_take(link->node, body, header->body_len) < 0)
        conn_close(link->conn, "arguments do not decode");
}

static void order_take(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    order_answered(link->node, header, body);
}

static void power_take(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    power_arg arg;

    if (conn_decode(power_arg, header, body, &arg) < 0)
        conn_close(link->conn, "arguments do not decode");
    else
        nodepower_changed(link->node, arg.what);
}

static void passage_take(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    if (passage_message(link->node, link->conn, header, body) < 0)
        conn_close(link->conn, "arguments do not decode");
}

/* A ghost on that node got a signal. */
static void signal_from_take(struct link *link, const struct frame_header *header,
                             const uint8_t *body)
{
    struct proc *proc;
    signal_msg msg;

    if (conn_decode(signal_msg, header, body, &msg) < 0 || msg.signo <= 0 || msg.signo >= NSIG) {
        conn_close(link->conn, "arguments do not decode");
        return;
    }
    proc = proc_find_anywhere(msg.pid);
    if (!proc)
        ghost_child_signal(&msg, nodeghost_parent(msg.pid, link->node->number));
    else if (nodeghost_stands_for(proc, msg.pid, link->node->number))
        link_event(node_at(proc_node(proc)), P_SIGNAL, FRAME_XDR(signal_msg), &msg);
}

static void ghost_gone_take(struct link *link, const struct frame_header *header,
                            const uint8_t *body)
{
    pid_msg msg;

    if (conn_decode(pid_msg, header, body, &msg) < 0)
        conn_close(link->conn, "arguments do not decode");
    else
        nodeghost_remove(msg.pid, link->node->number);
}

/* A child that a process left behind there, with its ghost. */
static void ghost_child_take(struct link *link, const struct frame_header *header,
                             const uint8_t *body)
{
    status_msg msg;

    if (conn_decode(status_msg, header, body, &msg) < 0)
        conn_close(link->conn, "arguments do not decode");
    else
        nodeghosts_changed(msg.pid, msg.status, link->node->number, 0);
}

static const struct link_call link_calls[] = {
    { P_JOIN, CALL, LINK_STRANGER, join_take },
    { P_HELLO, CALL, LINK_MEMBER, hello_take },
    { P_PING, CALL | REPLY | EVENT, LINK_UP, ping_take },
    { P_EXITED, EVENT, LINK_UP, status_take },
    { P_STOPPED, EVENT, LINK_UP, status_take },
    { P_CONTINUED, EVENT, LINK_UP, status_take },
    { P_BORN, EVENT, LINK_UP, born_take },
    { P_GROUP, EVENT, LINK_UP, group_take },
    { P_PASS, CALL, LINK_UP, pass_take },
    { P_NOTIFY, EVENT, LINK_UP, notify_take },
    { P_DEPART_ALLOW, CALL, LINK_UP, passage_take },
    { P_DEPART_READY, CALL, LINK_UP, passage_take },
    { P_DEPART_DONE, EVENT, LINK_UP, passage_take },
    { P_DEPART_FAILED, EVENT, LINK_UP, passage_take },
    { P_SIGNAL_FROM, EVENT, LINK_UP, signal_from_take },
    { P_GHOST_GONE, EVENT, LINK_UP, ghost_gone_take },
    { P_GHOST_CHILD, EVENT, LINK_UP, ghost_child_take },
    { P_NODE_USAGE, EVENT, LINK_UP, usage_taken },
    { P_NODE_POWER, REPLY, LINK_UP, order_take },
    { P_NODE_POWER, EVENT, LINK_UP, power_take },
    { P_NODE_RECONNECT, REPLY, LINK_UP, order_take },
    { P_NODE_CHROOT, REPLY, LINK_UP, order_take },
    { P_CACHE_PURGE, REPLY, LINK_UP, order_take },
    { P_NODE_SWITCH, EVENT, LINK_UP, switch_take },
};

static void link_message(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                         int *fds, void *arg)
{
    struct link *link = arg;

    (void)fds;
    link->heard = master_now();
    for (size_t i = 0; i < sizeof(link_calls) / sizeof(link_calls[0]); i++) {
        const struct link_call *call = &link_calls[i];

        if (call->proc == header->proc && (call->kinds & (1u << header->kind)) &&
            (call->phases & link->phase)) {
            call->run(link, header, body);
            return;
        }
    }
    conn_close(conn, "message has no place here");
}

static void link_ready(struct conn *conn, void *arg)
{
    struct link *link = arg;
    struct timeval deadline = { HANDSHAKE_SECONDS, 0 };
    X509 *cert = SSL_get0_peer_certificate(conn_ssl(conn));

    link->number = tls_peer_node(conn_ssl(conn));
    link->heard = master_now();
    if (cert && link->number < 0 && link->number != TLS_NODE_HOME) {
        link_refuse(link, "its certificate names no node");
        return;
    }
    link_settle(link, cert ? LINK_MEMBER : LINK_STRANGER);
    event_add(link->on_beat, &deadline);
}

/* ---- the end ---- */

static void node_detach(struct node *node, const char *reason)
{
    struct link *spare = spare_of(node);
    char text[300];
    unsigned count;

    node->link = NULL;
    if (spare)
        conn_close(spare->conn, "the connection to switch from is gone");
    nodeup_cancel(node);
    usage_node_lost(node);
    moves_node_lost(node->number);
    passages_node_lost(node->number);
    nodeghosts_node_lost(node->number);
    count = proctable_node_lost(node);
    snprintf(text, sizeof(text), "%s; %u process%s lost", reason, count, count == 1 ? "" : "es");
    orders_node_lost(node);
    if (node->number == BPROC_NODE_MASTER) {
        log_warnx("the home slave is gone: %s", text);
        return;
    }
    node_event(node, NODE_EV_LOST, text);
    node->addr = conf_addr_of(master.conf, node->number);
}

static void link_closed(struct conn *conn, const char *reason, void *arg)
{
    struct link *link = arg;
    char name[64];

    watchers_remove(conn);
    usage_client_gone(conn);
    if (link->phase == LINK_UP)
        node_detach(link->node, reason);
    else if (link->phase != LINK_LEFT)
        strangers--;
    if (!(link->phase & (LINK_UP | LINK_LEFT)) && strcmp(reason, "closed") != 0)
        log_limited(&link_limit, 20, "%s did not become a node's link: %s",
                    link_name(link, name, sizeof(name)), reason);
    LIST_REMOVE(link, entry);
    event_free(link->on_beat);
    free(link);
}

static const struct conn_ops link_ops = { link_message, link_closed, link_ready };

void link_close(struct link *link, const char *reason)
{
    if (link)
        conn_close(link->conn, reason);
}

/* ---- the beginning ---- */

static void socket_tune(int fd)
{
    int one = 1;
    unsigned ms = (unsigned)timeout_ms();

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

/* One host that opens connections and says nothing must not keep the others out. */
static int is_crowded(uint32_t addr)
{
    struct link *link;
    unsigned same = 0;

    LIST_FOREACH(link, &links, entry)
        same += !(link->phase & (LINK_UP | LINK_LEFT)) && link->addr == addr;
    if (strangers < MAX_STRANGERS && same < MAX_STRANGERS_A_HOST)
        return 0;
    log_limited(&link_limit, 20, "refused a connection: %u are in their handshake already",
                strangers);
    return 1;
}

void link_accept(int fd)
{
    struct sockaddr_in in = { 0 };
    socklen_t len = sizeof(in);
    struct link *link = NULL;
    uint32_t addr;

    if (getpeername(fd, (struct sockaddr *)&in, &len) < 0) {
        close(fd);
        return;
    }
    addr = ntohl(in.sin_addr.s_addr);
    if (!is_crowded(addr))
        link = calloc(1, sizeof(*link));
    if (!link) {
        close(fd);
        return;
    }
    socket_tune(fd);
    link->phase = LINK_SHAKING;
    link->addr = addr;
    link->on_beat = event_new(master.base, -1, 0, link_beat, link);
    if (link->on_beat)
        link->conn = conn_new_tls(master.base, fd, link_tls, 1, HANDSHAKE_SECONDS, &link_ops, link);
    else
        close(fd);
    if (!link->conn) {
        if (link->on_beat)
            event_free(link->on_beat);
        free(link);
        return;
    }
    strangers++;
    LIST_INSERT_HEAD(&links, link, entry);
}

int link_start(char *text, size_t len)
{
    char dir[PATH_MAX + 16];

    snprintf(dir, sizeof(dir), "%s/tls", master.conf->state_dir);
    link_tls = tls_context(dir, 1, TLS_VERIFY_OPTIONAL, text, len);
    return link_tls ? 0 : -EIO;
}

void link_stop(void)
{
    SSL_CTX_free(link_tls);
    link_tls = NULL;
}

/* ---- to the node ---- */

void link_event(struct node *node, bproc_proc proc, xdrproc_t encode, const void *body)
{
    if (node && node->link)
        conn_event(node->link->conn, proc, encode, body);
}

int link_call(struct node *node, bproc_proc proc, uint32_t serial, xdrproc_t encode,
              const void *body)
{
    if (!node->link)
        return -ENOTCONN;
    return conn_send(node->link->conn, K_CALL, proc, serial, 0, encode, body, NULL, 0);
}

void link_kill(struct node *node, int pid)
{
    signal_msg msg = { .pid = pid, .signo = SIGKILL };

    link_event(node, P_SIGNAL, FRAME_XDR(signal_msg), &msg);
}

void link_orphan(struct node *node, int ppid)
{
    pid_msg msg = { .pid = ppid };

    link_event(node, P_ORPHAN, FRAME_XDR(pid_msg), &msg);
}

void link_exit_ack(struct node *node, int pid)
{
    pid_msg msg = { .pid = pid };

    link_event(node, P_EXIT_ACK, FRAME_XDR(pid_msg), &msg);
}
