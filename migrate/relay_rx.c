/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "migrate/bulk.h"
#include "migrate/relay_impl.h"

static int body_is_good(const struct relay_rx *rx)
{
    const struct relay_stream *stream = rx->stream;

    switch (rx->header.proc) {
    case P_STREAM_DATA:
        return stream && !stream->eof_received && rx->left > 0 && rx->left <= stream->granted;
    case P_STREAM_CREDIT:
    case P_STREAM_WANTED:
        return stream && rx->left == sizeof(rx->small);
    case P_STREAM_HELD:
        return stream && rx->left == 0;
    case P_STREAM_EOF:
        return stream && !stream->eof_received && rx->left == 0;
    case P_STREAM_CLOSED:
        return stream && !stream->closed_received && rx->left == 0;
    case P_STREAM_FLUSH:
    case P_STREAM_FLUSHED:
    case P_STREAM_OVER:
        return rx->left == 0;
    default:
        return 0;
    }
}

void rx_write(struct relay *relay)
{
    if (relay->rx.gathered && relay->rx.gathered->checked > 0)
        sink_write(relay->rx.gathered);
    relay->rx.gathered = NULL;
}

static void rx_begin(struct relay *relay)
{
    struct relay_rx *rx = &relay->rx;
    int error = frame_parse_header(rx->prefix, &rx->header);

    if (error || rx->header.kind != K_EVENT || rx->header.nfds || rx->header.status) {
        relay_break(relay, "bad bytes from the peer");
        return;
    }
    rx->left = rx->header.body_len;
    rx->stream = rx->header.serial < BPROC_MAX_STREAMS ? relay->streams[rx->header.serial] : NULL;
    if (!body_is_good(rx)) {
        relay_break(relay, "bad message %d for stream %u from the peer", (int)rx->header.proc,
                    rx->header.serial);
        return;
    }
    /* Who sees one stream's end may rely on what came before on another. */
    if (rx->header.proc != P_STREAM_DATA || rx->gathered != rx->stream)
        rx_write(relay);
    if (rx->header.proc == P_STREAM_DATA) {
        rx->stream->granted -= rx->left;
        rx->data = true;
    }
}

static bool all_is_heard(const struct relay *relay)
{
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++) {
        const struct relay_stream *stream = relay->streams[i];

        if (stream && ((!stream->sink_none && !stream->eof_received) ||
                       (!stream->source_none && !stream->closed_received)))
            return false;
    }
    return true;
}

/* Who has not said it first answers when he is idle: what came last may not be delivered yet. */
static void over_received(struct relay *relay)
{
    flush_over(relay);
    if (!relay->ops->on_over || !all_is_heard(relay))
        relay_break(relay, "the peer ends what has not ended");
    else
        relay->over_received = true;
}

static void credit_received(struct relay *relay)
{
    struct relay_rx *rx = &relay->rx;
    uint32_t bytes;

    memcpy(&bytes, rx->small, sizeof(bytes));
    bytes = ntohl(bytes);
    if (bytes == 0 || bytes > rx->stream->window - rx->stream->credit)
        relay_break(relay, "credit beyond the window from the peer");
    else
        source_credit(rx->stream, bytes);
}

static void wanted_received(struct relay *relay)
{
    uint32_t bytes;

    memcpy(&bytes, relay->rx.small, sizeof(bytes));
    bytes = ntohl(bytes);
    if (bytes == 0)
        relay_break(relay, "a wish for nothing from the peer");
    else
        source_wanted(relay->rx.stream, bytes);
}

static void data_received(struct relay *relay)
{
    struct relay_stream *stream = relay->rx.stream;

    if (!stream->sink_broken && stream->record_max &&
        sink_check(stream, relay->rx.header.body_len) < 0)
        relay_break(relay, "bad records for stream %u from the peer", stream->id);
}

static void rx_end(struct relay *relay)
{
    struct relay_stream *stream = relay->rx.stream;

    relay->rx.have = 0;
    switch (relay->rx.header.proc) {
    case P_STREAM_DATA:
        data_received(relay);
        break;
    case P_STREAM_CREDIT:
        credit_received(relay);
        break;
    case P_STREAM_HELD:
        want_ask(stream);
        break;
    case P_STREAM_WANTED:
        wanted_received(relay);
        break;
    case P_STREAM_EOF:
        sink_eof(stream);
        break;
    case P_STREAM_CLOSED:
        stream->closed_received = true;
        source_end(stream);
        flush_spare(relay);
        break;
    case P_STREAM_FLUSH:
        flush_received(relay);
        break;
    case P_STREAM_OVER:
        over_received(relay);
        break;
    default:
        flushed_received(relay);
        break;
    }
}

/* Where the next bytes belong, and how many of them; NULL and broken: no memory. */
static uint8_t *rx_place(struct relay *relay, size_t *len)
{
    static uint8_t nowhere[16 * 1024];
    struct relay_rx *rx = &relay->rx;
    uint8_t *place;

    if (rx->have < FRAME_PREFIX) {
        *len = FRAME_PREFIX - rx->have;
        return rx->prefix + rx->have;
    }
    if (rx->header.proc != P_STREAM_DATA) {
        *len = rx->left;
        return rx->small + sizeof(rx->small) - rx->left;
    }
    if (rx->stream->sink.fd < 0)
        sink_break(rx->stream);
    if (rx->stream->sink_broken) {
        *len = rx->left < sizeof(nowhere) ? rx->left : sizeof(nowhere);
        return nowhere;
    }
    place = ring_space(&rx->stream->ring, len);
    if (!place)
        relay_break(relay, "out of memory");
    else if (*len > rx->left)
        *len = rx->left;
    return place;
}

static void rx_took(struct relay *relay, size_t n)
{
    struct relay_rx *rx = &relay->rx;

    if (rx->have < FRAME_PREFIX) {
        rx->have += n;
        if (rx->have < FRAME_PREFIX)
            return;
        rx_begin(relay);
    } else {
        rx->left -= n;
        if (rx->header.proc == P_STREAM_DATA && !rx->stream->sink_broken) {
            sink_put(rx->stream, n);
            rx->gathered = rx->stream;
        }
    }
    if (!relay->broken && rx->left == 0)
        rx_end(relay);
}

size_t rx_step(struct relay *relay)
{
    size_t len = 0, n;
    uint8_t *place = rx_place(relay, &len);
    int result, want;

    if (!place)
        return 0;
    bulk_forget();
    result = SSL_read_ex(relay->ssl, place, len, &n);
    if (result == 1) {
        rx_took(relay, n);
        return n;
    }
    if (link_result(relay, result, &want) == 0 && want == SSL_ERROR_WANT_WRITE) {
        relay->rx.wants_write = true;
        event_add(relay->tls_writable, NULL);
    }
    return 0;
}
