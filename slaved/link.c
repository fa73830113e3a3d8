/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/log.h"
#include "common/notify.h"
#include "common/tls.h"
#include "slaved/connect.h"
#include "slaved/contact.h"
#include "slaved/ghost.h"
#include "slaved/hostattr.h"
#include "slaved/link_impl.h"
#include "slaved/proctable.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS 5000
#define PING_LEAST_MS 200

struct control control;

static void complain(const char *reason)
{
    if (strcmp(control.complaint, reason) == 0)
        return;
    snprintf(control.complaint, sizeof(control.complaint), "%s", reason);
    log_warnx("cannot reach the master at %s:%d: %s", control.host, control.port, reason);
    notify_status("not connected: %s", reason);
}

static void retry_later(void)
{
    unsigned random, pause = control.pause_ms;
    struct timeval wait;

    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
        random = 0;
    pause = pause / 2 + random % (pause / 2 + 1);
    wait = (struct timeval){ pause / 1000, pause % 1000 * 1000 };
    control.pause_ms *= 2;
    if (control.pause_ms > PAUSE_MOST_MS)
        control.pause_ms = PAUSE_MOST_MS;
    event_add(control.retry, &wait);
}

hello_arg link_hello(void)
{
    return (hello_arg){ .node = control.settings->node, .instance = control.instance,
                        .master_instance = control.master_instance,
                        .data_port = control.settings->data_port };
}

static void hello_send(void)
{
    hello_arg hello = link_hello();
    node_attr attrs[HOSTATTR_COUNT];

    hello.attrs.attrs_len = hostattr_fill(attrs);
    hello.attrs.attrs_val = attrs;
    if (proc_list(&hello.procs.procs_val, &hello.procs.procs_len) < 0 ||
        ghost_list(&hello.ghosts.ghosts_val, &hello.ghosts.ghosts_len) < 0 ||
        proc_list_born(&hello.born.born_val, &hello.born.born_len) < 0)
        conn_close(control.conn, "out of memory");
    else
        conn_send(control.conn, K_CALL, P_HELLO, 0, 0, FRAME_XDR(hello_arg), &hello, NULL, 0);
    free(hello.procs.procs_val);
    free(hello.born.born_val);
    free(hello.ghosts.ghosts_val);
}

/* masterd pings us; we ask only if it does not, long before it counts as gone for good. */
static void ping_schedule(void)
{
    unsigned ms = (unsigned)control.settings->orphan_timeout * 1000 / 8;
    struct timeval interval;

    if (ms < PING_LEAST_MS)
        ms = PING_LEAST_MS;
    interval = (struct timeval){ ms / 1000, ms % 1000 * 1000 };
    event_add(control.ping, &interval);
}

static void ping_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    if (contact_since() >= (int64_t)control.settings->orphan_timeout * 1000 / 4)
        link_call(P_PING, 0, NULL, NULL);
}

static void hello_accept(const struct frame_header *header, const uint8_t *body)
{
    hello_ret hello;

    if (conn_decode(hello_ret, header, body, &hello) < 0 || hello.ping_timeout == 0 ||
        hello.ping_timeout > 86400) {
        conn_close(control.conn, "answer to the hello does not decode");
        return;
    }
    contact_heard();
    control.master_instance = hello.master_instance;
    control.up = 1;
    control.pause_ms = PAUSE_FIRST_MS;
    control.complaint[0] = '\0';
    contact_set_timeout((int)hello.ping_timeout);
    control.ping_timeout = (int)hello.ping_timeout;
    conn_watch(control.conn, control.ping_timeout);
    ping_schedule();
    log_info("node %d is connected to the master at %s:%d", control.settings->node, control.host,
             control.port);
    notify_status("node %d, connected to %s", control.settings->node, control.host);
    control.settings->on_up(&hello);
}

static void hello_refused(const struct frame_header *header, const uint8_t *body)
{
    char reason[256];
    error_ret ret;

    contact_refused();
    if (header->status == ESHUTDOWN)
        control.settings->on_set_down("this node was set down");
    if (conn_decode(error_ret, header, body, &ret) < 0) {
        conn_close(control.conn, strerror(header->status));
        return;
    }
    snprintf(reason, sizeof(reason), "it refuses this node: %s", ret.text);
    frame_free(FRAME_XDR(error_ret), &ret, sizeof(ret));
    control.pause_ms = PAUSE_MOST_MS;
    conn_close(control.conn, reason);
}

static void link_message(struct conn *conn, const struct frame_header *header,
                         const uint8_t *body, int *fds, void *arg)
{
    (void)fds;
    (void)arg;
    if (control.up)
        contact_heard();
    if (header->proc == P_PING) {
        if (header->kind == K_CALL)
            conn_reply(conn, header, NULL, NULL);
    } else if (control.up) {
        control.settings->on_message(header, body);
    } else if (header->proc != P_HELLO || header->kind != K_REPLY) {
        conn_close(conn, "message before the answer to the hello");
    } else if (header->status) {
        hello_refused(header, body);
    } else {
        hello_accept(header, body);
    }
}

static void link_ready(struct conn *conn, void *arg)
{
    (void)arg;
    if (tls_peer_node(conn_ssl(conn)) != TLS_NODE_MASTER)
        conn_close(conn, "its certificate is not the master's");
    else
        hello_send();
}

static void link_closed(struct conn *conn, const char *reason, void *arg)
{
    int was_up = control.up;

    (void)arg;
    reconnect_closed(conn);
    if (conn != control.conn)
        return;
    control.conn = NULL;
    control.up = 0;
    event_del(control.ping);
    reconnect_abandon();
    if (control.stopping)
        return;
    if (was_up) {
        log_warnx("lost the master at %s:%d: %s", control.host, control.port, reason);
        notify_status("lost the master: %s", reason);
        control.settings->on_down();
    } else {
        complain(reason);
    }
    retry_later();
}

const struct conn_ops link_ops = { .on_message = link_message, .on_close = link_closed,
                                   .on_ready = link_ready };

static void link_connected(int fd)
{
    if (fd == -ECONNREFUSED)
        contact_refused();
    if (fd >= 0)
        control.conn = conn_new_tls(control.base, fd, control.settings->ctx, 0, HANDSHAKE_SECONDS,
                                    &link_ops, NULL);
    if (control.conn)
        return;
    complain(strerror(fd < 0 ? -fd : errno));
    retry_later();
}

static void retry_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    connect_start(control.base, control.host, control.port,
                  control.source[0] ? control.source : NULL, CONNECT_SECONDS, link_connected);
}

int link_start(struct event_base *base, const struct link_settings *settings)
{
    struct timeval now = { 0, 0 };

    control.base = base;
    control.settings = settings;
    snprintf(control.host, sizeof(control.host), "%s", settings->host);
    snprintf(control.source, sizeof(control.source), "%s", settings->source ? settings->source
                                                                            : "");
    control.port = settings->port;
    control.pause_ms = PAUSE_FIRST_MS;
    if (getrandom(&control.instance, sizeof(control.instance), 0) != sizeof(control.instance))
        return -EIO;
    control.retry = evtimer_new(base, retry_due, NULL);
    control.ping = event_new(base, -1, EV_PERSIST, ping_due, NULL);
    if (!control.retry || !control.ping)
        return -ENOMEM;
    return event_add(control.retry, &now) == 0 ? 0 : -ENOMEM;
}

int link_is_up(void)
{
    return control.up;
}

int64_t link_silence(void)
{
    return control.up ? conn_silence(control.conn) : -1;
}

int link_event(bproc_proc proc, xdrproc_t encode, const void *body)
{
    return control.up ? conn_event(control.conn, proc, encode, body) : -ENOTCONN;
}

int link_call(bproc_proc proc, uint32_t serial, xdrproc_t encode, const void *body)
{
    if (!control.up)
        return -ENOTCONN;
    return conn_send(control.conn, K_CALL, proc, serial, 0, encode, body, NULL, 0);
}

void link_reply(const struct frame_header *to)
{
    if (control.up)
        conn_reply(control.conn, to, NULL, NULL);
}

void link_refuse(const struct frame_header *to, int error, const char *words)
{
    if (control.up)
        conn_refuse(control.conn, to, error, "%s", words);
}

void link_break(const char *reason)
{
    conn_close(control.conn, reason);
}

void link_stop(void)
{
    if (!control.retry)
        return;
    control.stopping = 1;
    connect_cancel();
    conn_close(control.conn, "this node stops");
    event_free(control.retry);
    event_free(control.ping);
    control.retry = control.ping = NULL;
}
