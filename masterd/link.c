/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/tls.h"
#include "masterd/heartbeat.h"
#include "masterd/join.h"
#include "masterd/link_impl.h"
#include "masterd/listen.h"
#include "masterd/master.h"
#include "masterd/nodeghost.h"
#include "masterd/nodeup.h"
#include "masterd/order.h"
#include "masterd/passage.h"
#include "masterd/proctable.h"
#include "masterd/usage.h"
#include "masterd/watchers.h"
#include "moves/move.h"

#define MAX_NEWCOMERS 128
#define MAX_NEWCOMERS_A_HOST 16
#define CROWD_SECONDS 6      /* how long each has while others wait outside */

struct link_call {
    bproc_proc proc;
    unsigned kinds;             /* bits 1 << bproc_kind */
    unsigned phases;
    void (*run)(struct link *link, const struct frame_header *header, const uint8_t *body);
};

/* Links before LINK_UP, the oldest first. */
static TAILQ_HEAD(, link) newcomers = TAILQ_HEAD_INITIALIZER(newcomers);
static unsigned newcomers_count;
static struct event *on_crowd;
static SSL_CTX *link_tls;
static struct log_limit link_limit;

const char *link_name(const struct link *link, char *name, size_t len)
{
    struct in_addr in = { .s_addr = htonl(link->addr) };
    char text[INET_ADDRSTRLEN] = "?";

    inet_ntop(AF_INET, &in, text, sizeof(text));
    snprintf(name, len, "%s", text);
    return name;
}

struct link *link_spare(const struct node *node)
{
    struct link *link;

    TAILQ_FOREACH(link, &newcomers, entry)
        if (link->phase == LINK_SPARE && link->node == node)
            break;
    return link;
}

/* ---- newcomers ---- */

static int is_newcomer(const struct link *link)
{
    return !(link->phase & (LINK_UP | LINK_LEFT));
}

/* Others wait outside: whoever has had his time and not become anybody makes room. */
static void crowd_thin(evutil_socket_t fd, short what, void *arg)
{
    int64_t before = master_now() - CROWD_SECONDS * 1000;
    struct link *link, *next;

    (void)fd;
    (void)what;
    (void)arg;
    for (link = TAILQ_FIRST(&newcomers); link && link->since < before; link = next) {
        next = TAILQ_NEXT(link, entry);
        if (link->phase != LINK_SPARE)
            conn_close(link->conn, "takes too long while others wait");
    }
}

static void newcomer_add(struct link *link)
{
    struct timeval second = { 1, 0 };

    TAILQ_INSERT_TAIL(&newcomers, link, entry);
    if (++newcomers_count < MAX_NEWCOMERS)
        return;
    listen_hold(1);
    event_add(on_crowd, &second);
}

static void newcomer_remove(struct link *link)
{
    TAILQ_REMOVE(&newcomers, link, entry);
    if (newcomers_count-- < MAX_NEWCOMERS)
        return;
    event_del(on_crowd);
    listen_hold(0);
}

void link_settle(struct link *link, enum link_phase phase)
{
    if (is_newcomer(link) && phase == LINK_UP) {
        newcomer_remove(link);
        event_del(link->on_deadline);
        conn_watch(link->conn, master.conf->ping_timeout);
        heartbeat_begin(link);
    }
    link->phase = phase;
}

void link_refuse(struct link *link, const char *fmt, ...)
{
    char name[64], text[300];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    log_limited(&link_limit, 20, "refused %s: %s", link_name(link, name, sizeof(name)), text);
    conn_close_after_send(link->conn);
}

static void deadline_over(evutil_socket_t fd, short what, void *arg)
{
    struct link *link = arg;

    (void)fd;
    (void)what;
    conn_close(link->conn, "did not say who it is in time");
}

static void ping_take(struct link *link, const struct frame_header *header, const uint8_t *body)
{
    (void)body;
    if (header->kind == K_CALL)
        conn_reply(link->conn, header, NULL, NULL);
}

#define CALL (1u << K_CALL)
#define REPLY (1u << K_REPLY)
#define EVENT (1u << K_EVENT)

static const struct link_call link_calls[] = {
    { P_JOIN, CALL, LINK_STRANGER, hello_join },
    { P_HELLO, CALL, LINK_MEMBER, hello_take },
    { P_PING, CALL | REPLY | EVENT, LINK_UP, ping_take },
    { P_STARTED, EVENT, LINK_UP, report_started },
    { P_EXITED, EVENT, LINK_UP, report_status },
    { P_STOPPED, EVENT, LINK_UP, report_status },
    { P_CONTINUED, EVENT, LINK_UP, report_status },
    { P_BORN, EVENT, LINK_UP, report_born },
    { P_GROUP, EVENT, LINK_UP, report_group },
    { P_PASS, CALL, LINK_UP, report_pass },
    { P_NOTIFY, EVENT, LINK_UP, report_notify },
    { P_DEPART_ALLOW, CALL, LINK_UP, report_passage },
    { P_DEPART_READY, CALL, LINK_UP, report_passage },
    { P_DEPART_DONE, EVENT, LINK_UP, report_passage },
    { P_DEPART_FAILED, EVENT, LINK_UP, report_passage },
    { P_SIGNAL_FROM, EVENT, LINK_UP, report_signal },
    { P_SIGNAL_PARENT, EVENT, LINK_UP, report_signal },
    { P_GHOST_GONE, EVENT, LINK_UP, report_ghost_gone },
    { P_GHOST_CHILD, EVENT, LINK_UP, report_ghost_child },
    { P_NODE_USAGE, EVENT, LINK_UP, report_usage },
    { P_NODE_POWER, REPLY, LINK_UP, report_order },
    { P_NODE_POWER, EVENT, LINK_UP, report_power },
    { P_NODE_RECONNECT, REPLY, LINK_UP, report_order },
    { P_NODE_CHROOT, REPLY, LINK_UP, report_order },
    { P_CACHE_PURGE, REPLY, LINK_UP, report_order },
    { P_NODE_SWITCH, EVENT, LINK_UP, hello_switch },
};

static void link_message(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                         int *fds, void *arg)
{
    struct link *link = arg;

    (void)fds;
    heartbeat_heard(link);
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
    if (cert && link->number < 0 && link->number != TLS_NODE_HOME) {
        link_refuse(link, "its certificate names no node");
        return;
    }
    link_settle(link, cert ? LINK_MEMBER : LINK_STRANGER);
    event_add(link->on_deadline, &deadline);
}

/* ---- the end ---- */

static void node_detach(struct node *node, const char *reason)
{
    struct link *spare = link_spare(node);
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
    join_cancel(conn);
    heartbeat_end(link);
    if (link->phase == LINK_UP)
        node_detach(link->node, reason);
    else if (is_newcomer(link))
        newcomer_remove(link);
    if (is_newcomer(link) && strcmp(reason, "closed") != 0)
        log_limited(&link_limit, 20, "%s did not become a node's link: %s",
                    link_name(link, name, sizeof(name)), reason);
    event_free(link->on_deadline);
    free(link);
}

static const struct conn_ops link_ops = { link_message, link_closed, link_ready };

void link_close(struct link *link, const char *reason)
{
    if (link)
        conn_close(link->conn, reason);
}

/* ---- the beginning ---- */

/* Where thousands wait, some give up before it is their turn; a handshake would be for nobody. */
static int has_left(int fd)
{
    struct pollfd look = { .fd = fd, .events = POLLRDHUP };

    return poll(&look, 1, 0) > 0;
}

/* One host that opens connections and says nothing must not keep the others out. */
static int is_crowded(uint32_t addr)
{
    struct link *link;
    unsigned same = 0;

    TAILQ_FOREACH(link, &newcomers, entry)
        same += link->addr == addr;
    if (same < MAX_NEWCOMERS_A_HOST)
        return 0;
    log_limited(&link_limit, 20, "refused a connection: %u of that host are in their handshake",
                same);
    return 1;
}

void link_accept(int fd)
{
    struct sockaddr_in in = { 0 };
    socklen_t len = sizeof(in);
    struct link *link = NULL;
    uint32_t addr;
    int one = 1;

    if (has_left(fd) || getpeername(fd, (struct sockaddr *)&in, &len) < 0) {
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
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    link->phase = LINK_SHAKING;
    link->addr = addr;
    link->since = master_now();
    link->on_deadline = event_new(master.base, -1, 0, deadline_over, link);
    if (link->on_deadline)
        link->conn = conn_new_tls(master.base, fd, link_tls, 1, HANDSHAKE_SECONDS, &link_ops, link);
    else
        close(fd);
    if (!link->conn) {
        if (link->on_deadline)
            event_free(link->on_deadline);
        free(link);
        return;
    }
    newcomer_add(link);
}

int link_start(char *text, size_t len)
{
    char dir[PATH_MAX + 16];

    snprintf(dir, sizeof(dir), "%s/tls", master.conf->state_dir);
    on_crowd = event_new(master.base, -1, EV_PERSIST, crowd_thin, NULL);
    if (!on_crowd || heartbeat_start() < 0)
        return -ENOMEM;
    link_tls = tls_context(dir, 1, TLS_VERIFY_OPTIONAL, text, len);
    return link_tls ? 0 : -EIO;
}

void link_stop(void)
{
    SSL_CTX_free(link_tls);
    link_tls = NULL;
    heartbeat_stop();
    join_stop();
    if (on_crowd)
        event_free(on_crowd);
    on_crowd = NULL;
}
