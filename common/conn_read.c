/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conn_io.h"

#define MESSAGES_A_TURN 64

static void fds_release(struct conn *conn)
{
    if (conn->held)
        *conn->held -= conn->nfds;
    conn->nfds = 0;
}

void conn_set_quota(struct conn *conn, unsigned *held, unsigned max)
{
    if (conn->held)
        *conn->held -= conn->nfds;
    conn->held = held;
    conn->held_max = max;
    if (held)
        *held += conn->nfds;
}

void conn_drop_message(struct conn *conn)
{
    for (unsigned i = 0; i < conn->nfds; i++)
        if (conn->fds[i] >= 0)
            close(conn->fds[i]);
    fds_release(conn);
    free(conn->body);
    conn->body = NULL;
    conn->body_len = 0;
    conn->prefix_len = 0;
}

static void bytes_are_bad(struct conn *conn, int error)
{
    conn_close(conn, error == -EPROTONOSUPPORT ? "peer speaks another version of the protocol"
                   : error == -EMSGSIZE        ? "message too long"
                                               : "not a message");
}

static int header_accept(struct conn *conn)
{
    int error = frame_parse_header(conn->prefix, &conn->header);

    if (!error && conn->ssl && conn->header.nfds > 0)
        error = -EPROTO;
    if (!error && conn->header.body_len > 0) {
        conn->body = malloc(conn->header.body_len);
        if (!conn->body)
            error = -ENOMEM;
    }
    return error;
}

/* The message leaves `conn` before the callback, which may close or reuse it. */
static void message_deliver(struct conn *conn)
{
    struct frame_header header = conn->header;
    uint8_t *body = conn->body;
    unsigned nfds = conn->nfds;
    int fds[BPROC_MAX_FDS];

    memcpy(fds, conn->fds, nfds * sizeof(fds[0]));
    conn->body = NULL;
    fds_release(conn);
    conn_drop_message(conn);
    if (conn->phase == CONN_OPEN)
        conn->ops->on_message(conn, &header, body, fds, conn->arg);
    for (unsigned i = 0; i < nfds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(body);
}

/* Next bytes of a stream, never past the end of the message. 1 whole, 0 not yet, -errno. */
static int stream_step(struct conn *conn)
{
    ssize_t n;

    if (conn->prefix_len < FRAME_PREFIX) {
        n = conn->transport->read(conn, conn->prefix + conn->prefix_len,
                                  FRAME_PREFIX - conn->prefix_len);
        if (n <= 0)
            return n < 0 ? (int)n : -ECONNRESET;
        conn->prefix_len += (size_t)n;
        if (conn->prefix_len < FRAME_PREFIX)
            return 0;
        n = header_accept(conn);
        return n ? (int)n : conn->header.body_len == 0;
    }
    n = conn->transport->read(conn, conn->body + conn->body_len,
                              conn->header.body_len - conn->body_len);
    if (n <= 0)
        return n < 0 ? (int)n : -ECONNRESET;
    conn->body_len += (size_t)n;
    return conn->body_len == conn->header.body_len;
}

/* A whole packet is a whole message. 1, or -errno. */
static int packet_step(struct conn *conn)
{
    uint8_t *packet;
    ssize_t n = conn_local_packet(conn, &packet);
    int error = 0;

    if (n <= 0)
        return n < 0 ? (int)n : -ECONNRESET;
    if (n < FRAME_PREFIX)
        error = -EPROTO;
    else
        memcpy(conn->prefix, packet, FRAME_PREFIX);
    if (!error)
        error = header_accept(conn);
    if (!error && conn->header.body_len != (size_t)n - FRAME_PREFIX)
        error = -EPROTO;
    if (!error && conn->header.body_len > 0)
        memcpy(conn->body, packet + FRAME_PREFIX, conn->header.body_len);
    free(packet);
    return error ? error : 1;
}

static void read_failed(struct conn *conn, int error)
{
    char reason[200];

    if (error == -EPROTO || error == -EMSGSIZE || error == -EPROTONOSUPPORT) {
        bytes_are_bad(conn, error);
        return;
    }
    conn_tls_reason(conn, error, reason, sizeof(reason));
    conn_close(conn, reason);
}

static void leftovers_discard(struct conn *conn)
{
    uint8_t bytes[4096];
    ssize_t n;
    int rounds = MESSAGES_A_TURN;

    do
        n = conn->transport->read(conn, bytes, sizeof(bytes));
    while (n > 0 && --rounds > 0);
    conn_drop_message(conn);
    if (n <= 0 && n != -EAGAIN)
        conn_close(conn, "closed");
}

void conn_take_in(struct conn *conn)
{
    int budget = MESSAGES_A_TURN;

    if (conn->phase == CONN_FLUSHING) {
        leftovers_discard(conn);
        return;
    }
    while (conn->phase == CONN_OPEN && budget > 0 && !conn->paused) {
        int done = conn->packets ? packet_step(conn) : stream_step(conn);

        if (conn->too_many || (done == 1 && conn->nfds != conn->header.nfds))
            done = -EPROTO;
        if (done == -EAGAIN)
            return;
        if (done < 0) {
            read_failed(conn, done);
            return;
        }
        if (done == 1) {
            message_deliver(conn);
            budget--;
            /* OpenSSL has read ahead all there was; another look would find nothing. */
            if (conn->phase == CONN_OPEN && conn->ssl && !SSL_has_pending(conn->ssl))
                return;
        }
    }
    /* What OpenSSL has taken off the socket already raises no event. */
    if (conn->phase == CONN_OPEN && !conn->paused && conn->ssl && SSL_has_pending(conn->ssl))
        event_active(conn->on_read, EV_READ, 0);
}
