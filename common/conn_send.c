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

#define QUEUE_LIMIT (16u << 20)
#define FLUSH_SECONDS 5
#define RECORD_MOST (16u << 10)     /* of TLS */
#define PATIENCE_MS 100

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
    while (!TAILQ_EMPTY(&conn->out)) {
        struct out_frame *out = TAILQ_FIRST(&conn->out);

        TAILQ_REMOVE(&conn->out, out, next);
        out_free(out);
    }
    conn->queued = 0;
}

/* What it said before it went may not have been read yet, and the end comes after that. */
static int peer_has_left(struct conn *conn, ssize_t error)
{
    if ((error != -EPIPE && error != -ECONNRESET) || conn->ssl || conn->paused)
        return 0;
    conn->peer_gone = 1;
    return 1;
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

/* Until the transport takes no more. 0: all is out; -EAGAIN; another -errno. */
static int queue_write(struct conn *conn)
{
    while (!TAILQ_EMPTY(&conn->out)) {
        struct out_frame *out = TAILQ_FIRST(&conn->out);
        ssize_t n = conn->transport->write(conn, out->bytes + out->sent, out->len - out->sent,
                                           out->fds, out->sent ? 0 : out->nfds);

        if (n < 0)
            return (int)n;
        out->sent += (size_t)n;
        conn->queued -= (size_t)n;
        if (out->sent == out->len) {
            TAILQ_REMOVE(&conn->out, out, next);
            out_free(out);
        }
    }
    return 0;
}

void conn_queue_send(struct conn *conn)
{
    int error = queue_write(conn);
    char reason[200];

    conn->patient = 0;
    if (error == -EAGAIN) {
        event_add(conn->on_write, NULL);
        return;
    }
    if (peer_has_left(conn, error)) {
        conn_queue_drop(conn);
    } else if (error) {
        conn_tls_reason(conn, error, reason, sizeof(reason));
        conn_close(conn, reason);
        return;
    }
    queue_done(conn);
}

void conn_flush(struct conn *conn)
{
    if (conn->ssl && conn->phase == CONN_OPEN && !conn->failure[0])
        queue_write(conn);
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

static int out_add(struct conn *conn, struct out_frame *out)
{
    TAILQ_INSERT_TAIL(&conn->out, out, next);
    conn->queued += out->len - out->sent;
    return 0;
}

/* What the transport has not taken of `bytes`, which are the queue's in any case. */
static int local_keep(struct conn *conn, uint8_t *bytes, size_t len, size_t sent, const int *fds,
                      unsigned nfds)
{
    struct out_frame *out = calloc(1, sizeof(*out));
    int error;

    if (!out) {
        free(bytes);
        return -ENOMEM;
    }
    out->bytes = bytes;
    out->len = len;
    out->sent = sent;
    error = sent == 0 ? fds_duplicate(out, fds, nfds) : 0;
    if (error) {
        out_free(out);
        return error;
    }
    /* An error of the write comes again from the loop, where on_close may be called. */
    event_add(conn->on_write, NULL);
    return out_add(conn, out);
}

/* To a local peer at once. Takes `bytes` in any case. */
static int local_put(struct conn *conn, uint8_t *bytes, size_t len, const int *fds, unsigned nfds)
{
    ssize_t n = 0;

    if (conn->phase == CONN_OPEN && TAILQ_EMPTY(&conn->out))
        n = conn->transport->write(conn, bytes, len, fds, nfds);
    if (n != (ssize_t)len && !peer_has_left(conn, n))
        return local_keep(conn, bytes, len, n > 0 ? (size_t)n : 0, fds, nfds);
    free(bytes);
    return 0;
}

/* Behind what waits already: that becomes longer, or there is a new one. */
static int record_add(struct conn *conn, uint8_t *bytes, size_t len)
{
    struct out_frame *out = TAILQ_LAST(&conn->out, out_queue);
    uint8_t *more = out && out->len + len <= RECORD_MOST ? realloc(out->bytes, out->len + len)
                                                         : NULL;

    if (more) {
        memcpy(more + out->len, bytes, len);
        free(bytes);
        out->bytes = more;
        out->len += len;
        conn->queued += len;
        return 0;
    }
    out = calloc(1, sizeof(*out));
    if (!out) {
        free(bytes);
        return -ENOMEM;
    }
    out->bytes = bytes;
    out->len = len;
    return out_add(conn, out);
}

/*
 * Over TLS what is said in one turn of the loop goes out at its end, as one record: each costs both
 * sides more than what is in it. Takes `bytes` in any case.
 */
static int record_put(struct conn *conn, uint8_t *bytes, size_t len, int patient)
{
    struct timeval limit = { 0, PATIENCE_MS * 1000 };
    int waits = !TAILQ_EMPTY(&conn->out);
    int error = record_add(conn, bytes, len);

    if (error || conn->phase != CONN_OPEN)
        return error;
    conn->patient = patient && (conn->patient || !waits);
    if (conn->patient && !event_pending(conn->on_timer, EV_TIMEOUT, NULL))
        event_add(conn->on_timer, &limit);
    if (conn->patient || event_pending(conn->on_write, EV_WRITE, NULL))
        return 0;
    /* An error of the write comes again from the loop, where on_close may be called. */
    if (conn->queued < RECORD_MOST || queue_write(conn) < 0)
        event_active(conn->on_write, EV_WRITE, 0);
    return 0;
}

static int message_send(struct conn *conn, struct frame_header *header, xdrproc_t encode,
                        const void *body, const int *fds, int patient)
{
    uint8_t *bytes;
    size_t len;
    int error;

    if (!conn || conn->phase >= CONN_FLUSHING || conn->failure[0])
        return -EPIPE;
    if (header->nfds > BPROC_MAX_FDS || (header->nfds > 0 && conn->ssl))
        return -EMSGSIZE;
    error = frame_build(header, encode, body, &bytes, &len);
    if (error)
        return error;
    if (conn->queued + len > QUEUE_LIMIT) {
        free(bytes);
        fail_later(conn, "peer does not read");
        return -ENOBUFS;
    }
    return conn->ssl ? record_put(conn, bytes, len, patient)
                     : local_put(conn, bytes, len, fds, header->nfds);
}

int conn_send(struct conn *conn, bproc_kind kind, bproc_proc proc, uint32_t serial, int status,
              xdrproc_t encode, const void *body, const int *fds, unsigned nfds)
{
    struct frame_header header = { .kind = kind, .proc = proc, .serial = serial,
                                   .status = status, .nfds = nfds };

    return message_send(conn, &header, encode, body, fds, 0);
}

int conn_event(struct conn *conn, bproc_proc proc, xdrproc_t encode, const void *body)
{
    return conn_send(conn, K_EVENT, proc, 0, 0, encode, body, NULL, 0);
}

int conn_event_patient(struct conn *conn, bproc_proc proc, xdrproc_t encode, const void *body)
{
    struct frame_header header = { .kind = K_EVENT, .proc = proc };

    return message_send(conn, &header, encode, body, NULL, 1);
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
    if (conn->phase == CONN_OPEN && TAILQ_EMPTY(&conn->out))
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
    event_add(conn->on_timer, TAILQ_EMPTY(&conn->out) && !conn->ssl ? &now : &limit);
    event_add(conn->on_write, NULL);
}
