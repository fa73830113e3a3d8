/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conn_io.h"

#define MESSAGES_A_TURN 64
#define READ_SIZE 1024          /* what malloc has at hand; a longer message has more made */

/* One for all: whoever hears of a packet is through with it before the next one is read. */
static uint8_t packet[FRAME_PREFIX + BPROC_MAX_BODY + 1];

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

void conn_input_drop(struct conn *conn)
{
    for (unsigned i = 0; i < conn->nfds; i++)
        close(conn->fds[i]);
    fds_release(conn);
    free(conn->in);
    conn->in = NULL;
    conn->in_size = conn->in_start = conn->in_end = 0;
}

/* Who knows another version knows by ours what is wrong; the rest is for nobody to read. */
static void version_tell(struct conn *conn)
{
    const struct frame_header header = { .kind = K_REPLY, .proc = P_PING,
                                         .status = EPROTONOSUPPORT };
    uint8_t bytes[FRAME_PREFIX];

    frame_format_header(&header, bytes);
    conn_raw(conn, bytes, sizeof(bytes));
}

static void bytes_are_bad(struct conn *conn, int error)
{
    if (error == -EPROTONOSUPPORT)
        version_tell(conn);
    conn_close(conn, error == -EPROTONOSUPPORT ? "peer speaks another version of the protocol"
                   : error == -EMSGSIZE        ? "message too long"
                                               : "not a message");
}

static int header_read(const struct conn *conn, const uint8_t *bytes, struct frame_header *header)
{
    int error = frame_parse_header(bytes, header);

    return !error && conn->ssl && header->nfds > 0 ? -EPROTO : error;
}

/* The descriptors leave `conn` before the callback, which may close or reuse it. 1, or -EPROTO. */
static int message_deliver(struct conn *conn, const struct frame_header *header,
                           const uint8_t *body, unsigned nfds)
{
    int fds[BPROC_MAX_FDS];

    if (header->nfds != nfds)
        return -EPROTO;
    if (nfds > 0) {
        memcpy(fds, conn->fds, nfds * sizeof(fds[0]));
        fds_release(conn);
    }
    conn->ops->on_message(conn, header, body, fds, conn->arg);
    for (unsigned i = 0; i < nfds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return 1;
}

/* Length of the first message in hand; FRAME_PREFIX as long as that has not come. -errno. */
static ssize_t input_first(const struct conn *conn, struct frame_header *header)
{
    int error;

    if (conn->in_end - conn->in_start < FRAME_PREFIX)
        return FRAME_PREFIX;
    error = header_read(conn, conn->in + conn->in_start, header);
    return error ? error : (ssize_t)(FRAME_PREFIX + header->body_len);
}

/* Room behind in_end for what lacks of a message of `len` bytes, or more. 0 or -ENOMEM. */
static int input_grow(struct conn *conn, size_t len)
{
    size_t size = len < READ_SIZE ? READ_SIZE : len;
    uint8_t *in;

    if (conn->in_start > 0)
        memmove(conn->in, conn->in + conn->in_start, conn->in_end - conn->in_start);
    conn->in_end -= conn->in_start;
    conn->in_start = 0;
    if (conn->in_size >= size)
        return 0;
    in = realloc(conn->in, size);
    if (!in)
        return -ENOMEM;
    conn->in = in;
    conn->in_size = size;
    return 0;
}

/*
 * Takes what is there, beyond the first message, too. `more`: there may be more still. Descriptors
 * end a read behind the message that they came with, and are so of the one that it ends in. If that
 * has not come whole, others' must not be read along with the rest of it. 0 or -errno.
 */
static int input_read(struct conn *conn, size_t first, int *more)
{
    int error = input_grow(conn, first);
    size_t room = (conn->nfds > 0 ? first : conn->in_size) - conn->in_end;
    ssize_t n = error ? error : conn->transport->read(conn, conn->in + conn->in_end, room);

    if (n <= 0)
        return n < 0 ? (int)n : -ECONNRESET;
    conn->in_end += (size_t)n;
    /* OpenSSL reads ahead all there is; another look would find nothing. */
    *more = conn->ssl ? SSL_has_pending(conn->ssl) : (size_t)n == room;
    return conn->too_many ? -EPROTO : 0;
}

/* One message, or bytes of one. 1 delivered, 0 not yet, -EAGAIN nothing is there, -errno. */
static int stream_step(struct conn *conn, int *more)
{
    struct frame_header header;
    ssize_t first = input_first(conn, &header);
    const uint8_t *bytes;

    if (first < 0)
        return (int)first;
    if (conn->in_end - conn->in_start < (size_t)first)
        return *more ? input_read(conn, (size_t)first, more) : -EAGAIN;
    bytes = conn->in + conn->in_start;
    conn->in_start += (size_t)first;
    return message_deliver(conn, &header, bytes + FRAME_PREFIX,
                           conn->in_start == conn->in_end ? conn->nfds : 0);
}

/* A whole packet is a whole message. There is seldom a second one, and the loop tells of it. */
static int packet_step(struct conn *conn, int *more)
{
    struct frame_header header;
    ssize_t n = *more ? conn->transport->read(conn, packet, sizeof(packet)) : -EAGAIN;
    int error;

    *more = 0;
    if (n <= 0)
        return n < 0 ? (int)n : -ECONNRESET;
    error = n < FRAME_PREFIX || conn->too_many ? -EPROTO : header_read(conn, packet, &header);
    if (!error && header.body_len != (size_t)n - FRAME_PREFIX)
        error = -EPROTO;
    return error ? error : message_deliver(conn, &header, packet + FRAME_PREFIX, conn->nfds);
}

static void read_failed(struct conn *conn, int error)
{
    char reason[200];

    if (error == -EPROTO || error == -EMSGSIZE || error == -EPROTONOSUPPORT) {
        bytes_are_bad(conn, error);
        return;
    }
    conn->peer_gone = error == -ECONNRESET;
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
    conn_input_drop(conn);
    if (n <= 0 && n != -EAGAIN)
        conn_close(conn, "closed");
}

void conn_take_in(struct conn *conn)
{
    int budget = MESSAGES_A_TURN, more = 1, done = 0;

    if (conn->phase == CONN_FLUSHING) {
        leftovers_discard(conn);
        return;
    }
    while (conn->phase == CONN_OPEN && budget > 0 && !conn->paused && done >= 0) {
        done = conn->packets ? packet_step(conn, &more) : stream_step(conn, &more);
        budget -= done == 1;
    }
    if (done < 0 && done != -EAGAIN) {
        read_failed(conn, done);
        return;
    }
    if (conn->in_start == conn->in_end)
        conn_input_drop(conn);
    /* What is off the socket already raises no event. */
    if (done >= 0 && conn->phase == CONN_OPEN && !conn->paused &&
        (conn->in || (conn->ssl && SSL_has_pending(conn->ssl))))
        event_active(conn->on_read, EV_READ, 0);
}
