/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/conn_io.h"
#include "common/fd.h"

static void conn_destroy(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;

    (void)fd;
    (void)what;
    conn_queue_drop(conn);
    conn_input_drop(conn);
    if (conn->on_read)
        event_free(conn->on_read);
    if (conn->on_write)
        event_free(conn->on_write);
    if (conn->on_timer)
        event_free(conn->on_timer);
    if (conn->transport->finish)
        conn->transport->finish(conn);
    fd_close(&conn->fd);
    free(conn);
}

void conn_close(struct conn *conn, const char *reason)
{
    struct timeval now = { 0, 0 };

    if (!conn || conn->phase == CONN_CLOSED)
        return;
    /* What was said in this turn of the loop, before the reason for the end was there. */
    if (!conn->peer_gone)
        conn_flush(conn);
    conn->phase = CONN_CLOSED;
    event_del(conn->on_read);
    event_del(conn->on_write);
    event_del(conn->on_timer);
    /* The peer learns now; the descriptor's number stays taken until nobody can use it. */
    if (!conn->peer_gone)
        shutdown(conn->fd, SHUT_RDWR);
    conn->ops->on_close(conn, reason, conn->arg);
    if (event_base_once(conn->base, -1, EV_TIMEOUT, conn_destroy, conn, &now) < 0)
        fd_close(&conn->fd);
}

static void conn_readable(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;

    (void)fd;
    (void)what;
    if (conn->phase == CONN_HANDSHAKE)
        conn_tls_step(conn);
    if (conn->phase == CONN_OPEN || conn->phase == CONN_FLUSHING)
        conn_take_in(conn);
    if (conn->phase == CONN_OPEN && !TAILQ_EMPTY(&conn->out) && !conn->patient)
        conn_queue_send(conn);
}

static void conn_writable(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;

    (void)fd;
    (void)what;
    if (conn->phase == CONN_HANDSHAKE)
        conn_tls_step(conn);
    if (conn->phase == CONN_OPEN || conn->phase == CONN_FLUSHING)
        conn_queue_send(conn);
}

static void conn_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;

    (void)fd;
    (void)what;
    if (conn->failure[0])
        conn_close(conn, conn->failure);
    else if (conn->phase == CONN_HANDSHAKE)
        conn_close(conn, conn->connecting ? "no connection in time" : "no handshake in time");
    else if (conn->phase == CONN_OPEN)
        conn_queue_send(conn);
    else
        conn_close(conn, "closed");
}

static struct conn *conn_new(struct event_base *base, int fd,
                             const struct conn_transport *transport, const struct conn_ops *ops,
                             void *arg)
{
    struct conn *conn = calloc(1, sizeof(*conn));

    if (!conn) {
        fd_close(&fd);
        return NULL;
    }
    conn->transport = transport;
    conn->ops = ops;
    conn->arg = arg;
    conn->base = base;
    conn->fd = fd;
    TAILQ_INIT(&conn->out);
    conn->on_read = event_new(base, fd, EV_READ | EV_PERSIST, conn_readable, conn);
    conn->on_write = event_new(base, fd, EV_WRITE, conn_writable, conn);
    conn->on_timer = event_new(base, -1, 0, conn_timeout, conn);
    if (!conn->on_read || !conn->on_write || !conn->on_timer) {
        conn_destroy(-1, 0, conn);
        return NULL;
    }
    return conn;
}

struct conn *conn_new_local(struct event_base *base, int fd, const struct conn_ops *ops, void *arg)
{
    struct conn *conn = conn_new(base, fd, &conn_local_transport, ops, arg);
    socklen_t len = sizeof(int);
    int type = 0, family = 0;

    if (!conn)
        return NULL;
    conn->phase = CONN_OPEN;
    /* It may come from a client: other families have sockets that block or compute on receipt. */
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0 || family != AF_UNIX ||
        event_add(conn->on_read, NULL) < 0) {
        conn_destroy(-1, 0, conn);
        return NULL;
    }
    conn->packets = type == SOCK_SEQPACKET;
    return conn;
}

struct conn *conn_new_tls(struct event_base *base, int fd, SSL_CTX *ctx, int server,
                          int handshake_seconds, const struct conn_ops *ops, void *arg)
{
    struct conn *conn = conn_new(base, fd, &conn_tls_transport, ops, arg);
    struct timeval limit = { handshake_seconds, 0 };

    if (!conn)
        return NULL;
    conn->phase = CONN_HANDSHAKE;
    conn->connecting = !server;
    /* Where the loop has a rank for it, a crowd of handshakes lets everybody else go first. */
    event_priority_set(conn->on_read, event_base_get_npriorities(base) - 1);
    event_priority_set(conn->on_write, event_base_get_npriorities(base) - 1);
    conn->ssl = SSL_new(ctx);
    if (!conn->ssl || SSL_set_fd(conn->ssl, fd) != 1 || fd_nonblock(fd) < 0 ||
        fd_cloexec(fd, 1) < 0 || event_add(server ? conn->on_read : conn->on_write, NULL) < 0 ||
        event_add(conn->on_timer, &limit) < 0) {
        conn_destroy(-1, 0, conn);
        errno = ENOMEM;
        return NULL;
    }
    /* Most connections are idle most of the time, and their buffers are most of their size. */
    SSL_set_mode(conn->ssl, SSL_MODE_RELEASE_BUFFERS);
    if (server)
        SSL_set_accept_state(conn->ssl);
    else
        SSL_set_connect_state(conn->ssl);
    return conn;
}

void conn_pause(struct conn *conn, int paused)
{
    conn->paused = paused;
    if (conn->phase != CONN_OPEN)
        return;
    if (paused) {
        event_del(conn->on_read);
        return;
    }
    event_add(conn->on_read, NULL);
    event_active(conn->on_read, EV_READ, 0);
}

int conn_peer(struct conn *conn, pid_t *pid, uid_t *uid, gid_t *gid)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    if (getsockopt(conn->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return -errno;
    *pid = cred.pid;
    *uid = cred.uid;
    *gid = cred.gid;
    return 0;
}

SSL *conn_ssl(struct conn *conn)
{
    return conn->ssl;
}

int conn_fd(const struct conn *conn)
{
    return conn->fd;
}

void *conn_arg(const struct conn *conn)
{
    return conn->arg;
}

void conn_set_arg(struct conn *conn, void *arg)
{
    conn->arg = arg;
}

void conn_set_ops(struct conn *conn, const struct conn_ops *ops, void *arg)
{
    conn->ops = ops;
    conn->arg = arg;
}
