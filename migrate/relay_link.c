/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "migrate/bulk.h"
#include "migrate/relay_impl.h"

#define PUMP_CHUNKS 8   /* sent in one turn of the loop */

int link_result(struct relay *relay, int result, int *want)
{
    int saved = errno;
    unsigned long error = ERR_peek_error();

    *want = SSL_get_error(relay->ssl, result);
    switch (*want) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        relay_break(relay, "the connection was closed by the peer");
        return -1;
    case SSL_ERROR_SYSCALL:
        relay_break(relay, "the connection was lost: %s", saved ? strerror(saved) : "end of file");
        return -1;
    default:
        relay_break(relay, "the connection was lost: %s",
                    error ? ERR_reason_error_string(error) : "TLS error");
        return -1;
    }
}

static void frame_put(struct relay *relay, bproc_proc proc, unsigned serial, size_t body_len)
{
    struct frame_header header = { .kind = K_EVENT, .proc = proc, .serial = serial,
                                   .body_len = (uint32_t)body_len };

    frame_format_header(&header, relay->tx + relay->tx_len);
    relay->tx_len += FRAME_PREFIX + body_len;
}

static void credit_put(struct relay *relay, struct relay_stream *stream)
{
    uint32_t bytes = htonl((uint32_t)stream->taken);

    memcpy(relay->tx + relay->tx_len + FRAME_PREFIX, &bytes, sizeof(bytes));
    frame_put(relay, P_STREAM_CREDIT, stream->id, sizeof(bytes));
    stream->granted += stream->taken;
    stream->taken = 0;
}

static void wants_put(struct relay *relay, struct relay_stream *stream)
{
    uint32_t bytes = htonl((uint32_t)stream->wants);

    memcpy(relay->tx + relay->tx_len + FRAME_PREFIX, &bytes, sizeof(bytes));
    frame_put(relay, P_STREAM_WANTED, stream->id, sizeof(bytes));
    stream->wants = 0;
}

static void marks_put(struct relay *relay)
{
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++) {
        struct relay_stream *stream = relay->streams[i];

        if (!stream)
            continue;
        if (stream->due_credit)
            credit_put(relay, stream);
        if (stream->due_held)
            frame_put(relay, P_STREAM_HELD, i, 0);
        if (stream->wants)
            wants_put(relay, stream);
        if (stream->due_eof)
            frame_put(relay, P_STREAM_EOF, i, 0);
        if (stream->due_closed)
            frame_put(relay, P_STREAM_CLOSED, i, 0);
        stream->due_credit = stream->due_held = stream->due_eof = stream->due_closed = false;
    }
    relay->due = false;
}

static void data_put(struct relay *relay)
{
    struct relay_stream *stream;

    while ((stream = TAILQ_FIRST(&relay->ready))) {
        size_t len = source_read(stream, relay->tx + relay->tx_len + FRAME_PREFIX);

        if (len > 0) {
            frame_put(relay, P_STREAM_DATA, stream->id, len);
            relay->tx_urgent = true;
            return;
        }
    }
}

/* Formats the next thing to send behind what is left of the last one; false: there is none. */
static bool tx_fill(struct relay *relay)
{
    size_t left = relay->tx_len - relay->tx_off;

    /* More than a record is left when the connection took no more. */
    if (left >= RELAY_TLS_RECORD)
        return true;
    memmove(relay->tx, relay->tx + relay->tx_off, left);
    relay->tx_off = 0;
    relay->tx_len = left;
    if (relay->due)
        marks_put(relay);
    if (relay->due_flushed) {
        frame_put(relay, P_STREAM_FLUSHED, 0, 0);
        relay->due_flushed = false;
    }
    if (flush_is_due(relay) && flush_begin(relay))
        frame_put(relay, P_STREAM_FLUSH, 0, 0);
    data_put(relay);
    if (!relay->over_sent && (flush_is_past(relay) ||
                              ((relay->last || relay->over_received) && relay_is_idle(relay))))
        relay->due_over = true;
    /* Nothing but marks can be left beside it, and those came first. */
    if (relay->due_over && !relay->due) {
        frame_put(relay, P_STREAM_OVER, 0, 0);
        relay->due_over = false;
        relay->over_sent = relay->tx_urgent = true;
    }
    /* The last stream may turn out to be empty just now. */
    return relay->tx_len > left || relay->due || flush_is_due(relay);
}

/*
 * Sends all of it, or what fills whole records when there is more to come at once. False: the
 * connection takes no more now, or is broken.
 */
static bool tx_send(struct relay *relay, bool more)
{
    size_t least = more ? RELAY_TLS_RECORD : 1;

    while (relay->tx_len - relay->tx_off >= least) {
        size_t n;
        int result, want;

        bulk_forget();
        result = SSL_write_ex(relay->ssl, relay->tx + relay->tx_off,
                              relay->tx_len - relay->tx_off, &n);
        if (result == 1) {
            relay->tx_off += n;
            relay->tx_gathered = true;
            continue;
        }
        if (link_result(relay, result, &want) < 0)
            return false;
        relay->tx_blocked = true;
        if (want == SSL_ERROR_WANT_WRITE)
            event_add(relay->tls_writable, NULL);
        return false;
    }
    return true;
}

/* Sends what the connection has gathered; as tx_send(). */
static bool tx_flush(struct relay *relay)
{
    BIO *bio = SSL_get_wbio(relay->ssl);

    if (!relay->tx_gathered)
        return true;
    errno = 0;
    if (BIO_flush(bio) == 1) {
        relay->tx_gathered = false;
        return true;
    }
    if (!BIO_should_retry(bio)) {
        relay_break(relay, "the connection was lost: %s", strerror(errno));
        return false;
    }
    relay->tx_blocked = true;
    event_add(relay->tls_writable, NULL);
    return false;
}

/*
 * Marks alone wait for the end of this turn: a process's streams end together, and each record by
 * itself wakes the other side.
 */
static bool marks_wait(struct relay *relay)
{
    if (relay->tx_off == relay->tx_len || relay->tx_urgent) {
        relay->tx_urgent = false;
        return false;
    }
    relay->tx_urgent = true;
    relay_turn_soon(relay);
    return true;
}

/*
 * A process that has said nothing has no delivery to wait for: its node has told its end, and is
 * to hear no more than that it may take the next one.
 */
static bool last_can_wait(const struct relay *relay)
{
    return relay->last && relay->over_sent && relay->over_received && !relay->rx.data;
}

void link_pump(struct relay *relay)
{
    bool more = true;

    if (relay->broken || relay->tx_blocked)
        return;
    for (int chunks = 0; more && chunks < PUMP_CHUNKS; chunks++) {
        more = tx_fill(relay);
        if ((!more && marks_wait(relay)) || !tx_send(relay, more))
            return;
    }
    if (more) {
        relay_turn_soon(relay);
    } else if (last_can_wait(relay) || tx_flush(relay)) {
        relay_check_idle(relay);
        relay_check_over(relay);
    }
}

void link_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct relay *relay = arg;
    size_t taken = 0, n = 0;
    bool more = what & EV_READ || SSL_has_pending(relay->ssl);

    (void)fd;
    /* What comes after the peer's last word is not ours; it is the connection's end. */
    if (relay->over_received)
        event_del(relay->tls_readable);
    while (more && !relay->over_received && !relay->broken && taken < RELAY_TURN &&
           (n = rx_step(relay)) > 0)
        taken += n;
    /* Also what came before the connection broke. */
    rx_write(relay);
    if (relay->broken)
        return;
    if (n > 0)
        relay_turn_soon(relay);
    /* Reading may be what a write had waited for. */
    if (relay->tx_blocked && !event_pending(relay->tls_writable, EV_WRITE, NULL))
        relay->tx_blocked = false;
    link_pump(relay);
}

void link_on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct relay *relay = arg;

    relay->tx_blocked = false;
    if (relay->rx.wants_write) {
        relay->rx.wants_write = false;
        link_on_readable(fd, what | EV_READ, arg);
    } else {
        link_pump(relay);
    }
}
