/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/conn_io.h"

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

void conn_queue_drop(struct conn *conn)
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

void conn_queue_send(struct conn *conn)
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
            conn_queue_drop(conn);
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
