/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/fault.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/tls.h"
#include "slaved/connect.h"
#include "slaved/link_impl.h"

/* The connection that link_reconnect() makes. */
static struct {
    bool under_way;
    struct frame_header asked;
    struct conn *conn;          /* NULL until TCP is connected, and again once it is control.conn */
    struct conn *old;           /* after the switch: to be read to its end */
    char host[256], source[32];
    int port;
} fresh;

static void fresh_failed(int error, const char *reason)
{
    struct conn *conn = fresh.conn;

    log_warnx("cannot reconnect to the master at %s:%d: %s", fresh.host, fresh.port, reason);
    fresh.under_way = false;
    fresh.conn = NULL;
    link_refuse(&fresh.asked, error, reason);
    conn_close(conn, reason);
}

/* What the old connection had to say has been heard. */
void reconnect_closed(const struct conn *conn)
{
    if (!conn || conn != fresh.old)
        return;
    fresh.old = NULL;
    fresh.under_way = false;
    conn_pause(control.conn, 0);
    link_reply(&fresh.asked);
    log_info("node %d is connected anew to the master at %s:%d", control.settings->node,
             control.host, control.port);
    notify_status("node %d, connected to %s", control.settings->node, control.host);
    control.settings->on_switched();
}

static void fresh_switch(void)
{
    link_event(P_NODE_SWITCH, NULL, NULL);
    fresh.old = control.conn;
    control.conn = fresh.conn;
    fresh.conn = NULL;
    conn_set_ops(control.conn, &link_ops, NULL);
    conn_pause(control.conn, 1);
    conn_watch(control.conn, control.ping_timeout);
    memcpy(control.host, fresh.host, sizeof(control.host));
    memcpy(control.source, fresh.source, sizeof(control.source));
    control.port = fresh.port;
    /* Once is enough for a port of its own. */
    control.source[strcspn(control.source, ":")] = '\0';
}

static void fresh_message(struct conn *conn, const struct frame_header *header,
                          const uint8_t *body, int *fds, void *arg)
{
    char reason[256];
    error_ret ret;

    (void)fds;
    (void)arg;
    if (header->proc != P_HELLO || header->kind != K_REPLY) {
        conn_close(conn, "message before the answer to the hello");
        return;
    }
    if (!header->status) {
        fresh_switch();
        return;
    }
    snprintf(reason, sizeof(reason), "it refuses this connection");
    if (conn_decode(error_ret, header, body, &ret) == 0) {
        snprintf(reason, sizeof(reason), "it refuses this connection: %s", ret.text);
        frame_free(FRAME_XDR(error_ret), &ret, sizeof(ret));
    }
    fresh_failed(header->status, reason);
}

static void fresh_ready(struct conn *conn, void *arg)
{
    hello_arg hello = link_hello();

    (void)arg;
    hello.reconnect = 1;
    if (tls_peer_node(conn_ssl(conn)) != TLS_NODE_MASTER)
        conn_close(conn, "its certificate is not the master's");
    else
        conn_send(conn, K_CALL, P_HELLO, 0, 0, FRAME_XDR(hello_arg), &hello, NULL, 0);
}

static void fresh_closed(struct conn *conn, const char *reason, void *arg)
{
    (void)arg;
    if (fresh.conn != conn)
        return;
    fresh.conn = NULL;
    fresh_failed(ECONNABORTED, reason);
}

static const struct conn_ops fresh_ops = { .on_message = fresh_message, .on_close = fresh_closed,
                                           .on_ready = fresh_ready };

static void fresh_connected(int fd)
{
    int error = fd < 0 ? -fd : 0;

    if (!error) {
        fresh.conn = conn_new_tls(control.base, fd, control.settings->ctx, 0, HANDSHAKE_SECONDS,
                                  &fresh_ops, NULL);
        error = fresh.conn ? 0 : errno;
    }
    if (error)
        fresh_failed(error, strerror(error));
}

static void fresh_address(const reconnect_arg *arg)
{
    struct in_addr in = { .s_addr = htonl(arg->addr) };
    char text[INET_ADDRSTRLEN];

    memcpy(fresh.host, control.host, sizeof(fresh.host));
    memcpy(fresh.source, control.source, sizeof(fresh.source));
    fresh.port = arg->port ? (int)arg->port : control.port;
    if (arg->addr)
        inet_ntop(AF_INET, &in, fresh.host, sizeof(fresh.host));
    in.s_addr = htonl(arg->own_addr);
    if (arg->own_port)
        snprintf(fresh.source, sizeof(fresh.source), "%s:%u",
                 inet_ntop(AF_INET, &in, text, sizeof(text)), arg->own_port);
    else if (arg->own_addr)
        inet_ntop(AF_INET, &in, fresh.source, sizeof(fresh.source));
}

void link_reconnect(const struct frame_header *header, const uint8_t *body)
{
    reconnect_arg arg;

    if (conn_decode(reconnect_arg, header, body, &arg) < 0 || arg.port > 65535 ||
        arg.own_port > 65535) {
        link_break("message does not decode");
        return;
    }
    if (fresh.under_way) {
        link_refuse(header, EALREADY, "it is reconnecting already");
        return;
    }
    if (FAULT(FAULT_SLAVED_RECONNECT) < 0) {
        link_refuse(header, EIO, strerror(EIO));
        return;
    }
    fresh.under_way = true;
    fresh.asked = *header;
    fresh_address(&arg);
    connect_start(control.base, fresh.host, fresh.port, fresh.source[0] ? fresh.source : NULL,
                  CONNECT_SECONDS, fresh_connected);
}

void reconnect_abandon(void)
{
    struct conn *conn = fresh.conn ? fresh.conn : fresh.old;

    if (!fresh.under_way)
        return;
    fresh.under_way = false;
    fresh.conn = fresh.old = NULL;
    connect_cancel();
    conn_close(conn, "the link is lost");
}
