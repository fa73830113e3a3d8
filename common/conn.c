/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/conn_io.h"
#include "common/fd.h"

#define QUEUE_LIMIT (16u << 20)
#define FLUSH_SECONDS 5

static void out_free(struct out_frame *out)
{
    for (unsigned i = 0; i < out->nfds; i++)
        close(out->fds[i]);
    free(out->fds);
    free(out->bytes);
    free(out);
}

static void queue_drop(struct conn *conn)
{
    while (!STAILQ_EMPTY(&conn->out)) {
        struct out_frame *out = STAILQ_FIRST(&conn->out);

        STAILQ_REMOVE_HEAD(&conn->out, next);
        out_free(out);
    }
    conn->queued = 0;
}

/* What it said before it went may not have been read yet, and the end comes after that. */
static int peer_has_left(const struct conn *conn, ssize_t error)
{
    return (error == -EPIPE || error == -ECONNRESET) && !conn->ssl && !conn->paused;
}

static void conn_destroy(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;

    (void)fd;
    (void)what;
    queue_drop(conn);
    conn_drop_message(conn);
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
    conn->phase = CONN_CLOSED;
    event_del(conn->on_read);
    event_del(conn->on_write);
    event_del(conn->on_timer);
    /* The peer learns now; the descriptor's number stays taken until nobody can use it. */
    shutdown(conn->fd, SHUT_RDWR);
    conn->ops->on_close(conn, reason, conn->arg);
    if (event_base_once(conn->base, -1, EV_TIMEOUT, conn_destroy, conn, &now) < 0)
        fd_close(&conn->fd);
}

static void queue_done(struct conn *conn)
{
    struct timeval soon = { FLUSH_SECONDS, 0 };

    if (conn->phase != CONN_FLUSHING || conn->shut)
        return;
    if (!conn->ssl) {
        conn_close(conn, "closed");
        return;
    }
    /* TCP throws away what the peer has not read yet if we close over its unread bytes. */
    conn->shut = 1;
    SSL_shutdown(conn->ssl);
    shutdown(conn->fd, SHUT_WR);
    event_add(conn->on_timer, &soon);
}

static void queue_send(struct conn *conn)
{
    while (!STAILQ_EMPTY(&conn->out)) {
        struct out_frame *out = STAILQ_FIRST(&conn->out);
        ssize_t n = conn->transport->write(conn, out->bytes + out->sent, out->len - out->sent,
                                           out->fds, out->sent ? 0 : out->nfds);

        if (n == -EAGAIN) {
            event_add(conn->on_write, NULL);
            return;
        }
        if (peer_has_left(conn, n)) {
            queue_drop(conn);
            break;
        }
        if (n < 0) {
            char reason[200];

            conn_tls_reason(conn, (int)n, reason, sizeof(reason));
            conn_close(conn, reason);
            return;
        }
        out->sent += (size_t)n;
        conn->queued -= (size_t)n;
        if (out->sent == out->len) {
            STAILQ_REMOVE_HEAD(&conn->out, next);
            out_free(out);
        }
    }
    queue_done(conn);
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
    if (conn->phase == CONN_OPEN && !STAILQ_EMPTY(&conn->out))
        queue_send(conn);
}

static void conn_writable(evutil_socket_t fd, short what, void *arg)
{
    struct conn *conn = arg;

    (void)fd;
    (void)what;
    if (conn->phase == CONN_HANDSHAKE)
        conn_tls_step(conn);
    if (conn->phase == CONN_OPEN || conn->phase == CONN_FLUSHING)
        queue_send(conn);
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
    STAILQ_INIT(&conn->out);
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

/* on_close comes from the loop, as the caller may stand anywhere. */
static void fail_later(struct conn *conn, const char *reason)
{
    struct timeval now = { 0, 0 };

    snprintf(conn->failure, sizeof(conn->failure), "%s", reason);
    event_add(conn->on_timer, &now);
}

static int fds_duplicate(struct out_frame *out, const int *fds, unsigned nfds)
{
    if (nfds == 0)
        return 0;
    out->fds = malloc(nfds * sizeof(*out->fds));
    if (!out->fds)
        return -ENOMEM;
    for (; out->nfds < nfds; out->nfds++) {
        out->fds[out->nfds] = fcntl(fds[out->nfds], F_DUPFD_CLOEXEC, 3);
        if (out->fds[out->nfds] < 0)
            return -errno;
    }
    return 0;
}

/* Takes `bytes` in any case. */
static int queue_put(struct conn *conn, uint8_t *bytes, size_t len, const int *fds, unsigned nfds)
{
    struct out_frame *out = calloc(1, sizeof(*out));
    ssize_t n = 0;
    int error;

    if (!out) {
        free(bytes);
        return -ENOMEM;
    }
    out->bytes = bytes;
    out->len = len;
    if (conn->phase == CONN_OPEN && STAILQ_EMPTY(&conn->out))
        n = conn->transport->write(conn, bytes, len, fds, nfds);
    out->sent = n > 0 ? (size_t)n : 0;
    error = out->sent == 0 ? fds_duplicate(out, fds, nfds) : 0;
    if (error || out->sent == len) {
        out_free(out);
        return error;
    }
    STAILQ_INSERT_TAIL(&conn->out, out, next);
    conn->queued += len - out->sent;
    /* An error of the write comes again from the loop, where on_close may be called. */
    if (conn->phase == CONN_OPEN)
        event_add(conn->on_write, NULL);
    return 0;
}

int conn_send(struct conn *conn, bproc_kind kind, bproc_proc proc, uint32_t serial, int status,
              xdrproc_t encode, const void *body, const int *fds, unsigned nfds)
{
    struct frame_header header = { .kind = kind, .proc = proc, .serial = serial,
                                   .status = status, .nfds = nfds };
    uint8_t *bytes;
    size_t len;
    int error;

    if (!conn || conn->phase >= CONN_FLUSHING || conn->failure[0])
        return -EPIPE;
    if (nfds > BPROC_MAX_FDS || (nfds > 0 && conn->ssl))
        return -EMSGSIZE;
    error = frame_build(&header, encode, body, &bytes, &len);
    if (error)
        return error;
    if (conn->queued + len > QUEUE_LIMIT) {
        free(bytes);
        fail_later(conn, "peer does not read");
        return -ENOBUFS;
    }
    return queue_put(conn, bytes, len, fds, nfds);
}

int conn_event(struct conn *conn, bproc_proc proc, xdrproc_t encode, const void *body)
{
    return conn_send(conn, K_EVENT, proc, 0, 0, encode, body, NULL, 0);
}

int conn_reply(struct conn *conn, const struct frame_header *to, xdrproc_t encode,
               const void *body)
{
    return conn_send(conn, K_REPLY, to->proc, to->serial, 0, encode, body, NULL, 0);
}

int conn_refuse(struct conn *conn, const struct frame_header *to, int error, const char *fmt, ...)
{
    char text[BPROC_MAX_TEXT];
    error_ret ret = { .text = text };
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return conn_send(conn, K_REPLY, to->proc, to->serial, error < 0 ? -error : error,
                     FRAME_XDR(error_ret), &ret, NULL, 0);
}

void conn_raw(struct conn *conn, const void *bytes, size_t len)
{
    if (conn->phase == CONN_OPEN && STAILQ_EMPTY(&conn->out))
        conn->transport->write(conn, bytes, len, NULL, 0);
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

void conn_close_after_send(struct conn *conn)
{
    struct timeval limit = { FLUSH_SECONDS, 0 };
    struct timeval now = { 0, 0 };

    if (!conn || conn->phase >= CONN_FLUSHING)
        return;
    if (conn->phase == CONN_HANDSHAKE) {
        fail_later(conn, "closed");
        return;
    }
    conn_pause(conn, 0);
    conn->phase = CONN_FLUSHING;
    event_add(conn->on_timer, STAILQ_EMPTY(&conn->out) && !conn->ssl ? &now : &limit);
    event_add(conn->on_write, NULL);
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
