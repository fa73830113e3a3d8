/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>

#include "migrate/relay_impl.h"

#define IOV_COUNT (64 + RING_PIECES)

static void flush_took(struct relay_stream *stream, size_t bytes)
{
    struct relay *relay = stream->relay;

    if (stream->flush_left == 0)
        return;
    stream->flush_left -= bytes < stream->flush_left ? bytes : stream->flush_left;
    if (stream->flush_left == 0 && --relay->flush_waiting == 0)
        flush_delivered(relay);
}

static void ring_took(struct relay_stream *stream, size_t bytes)
{
    ring_drop(&stream->ring, bytes);
    stream->checked -= bytes;
    flush_took(stream, bytes);
    stream->taken += bytes;
    if (stream->taken >= stream->window / 4 && !stream->eof_received) {
        stream->due_credit = true;
        stream_due(stream);
    }
}

static void closed_tell(struct relay_stream *stream)
{
    if (stream->closed_sent)
        return;
    stream->closed_sent = stream->due_closed = true;
    stream_due(stream);
}

static void sink_end(struct relay_stream *stream)
{
    stream->sink_done = true;
    stream->checked = 0;
    ring_free(&stream->ring);
    closed_tell(stream);
    if (stream->sink.fd >= 0 && !stream->sink_broken)
        stream_close_sink(stream);
}

void sink_break(struct relay_stream *stream)
{
    if (stream->sink_broken || stream->eof_received) {
        if (!stream->sink_done) {
            flush_took(stream, stream->ring.len);
            sink_end(stream);
        }
        return;
    }
    stream->sink_broken = true;
    stream->due_credit = false;
    closed_tell(stream);
    flush_took(stream, stream->ring.len);
    stream->checked = 0;
    ring_free(&stream->ring);
    if (stream->sink.fd >= 0)
        stream_close_sink(stream);
}

void sink_eof(struct relay_stream *stream)
{
    stream->eof_received = true;
    stream->due_credit = false;
    if (stream->sink_done)
        closed_tell(stream);
    else if (stream->sink_broken || stream->ring.len == 0)
        sink_end(stream);
}

void sink_put(struct relay_stream *stream, size_t len)
{
    ring_commit(&stream->ring, len);
    if (!stream->record_max)
        stream->checked += len;
}

/* Writing nothing means the end to all but a datagram socket. */
static bool record_is_good(const struct relay_stream *stream, size_t record)
{
    if (stream_has_messages(stream))
        return record <= stream->record_max && (record > 0 || stream->kind == STREAM_DATAGRAM);
    return record > 0 && (record <= PIPE_BUF || (record <= PAGES_RUN && record % PIPE_BUF == 0));
}

int sink_check(struct relay_stream *stream, size_t len)
{
    size_t offset = stream->ring.len - len;

    while (offset < stream->ring.len) {
        size_t left = stream->ring.len - offset, record;

        if (left < RELAY_RECORD)
            return -EPROTO;
        record = ring_word(&stream->ring, offset);
        if (record > left - RELAY_RECORD || !record_is_good(stream, record))
            return -EPROTO;
        offset += RELAY_RECORD + record;
    }
    stream->checked = stream->ring.len;
    return 0;
}

/*
 * Whether the record may go into one write with `total` bytes of others. A pipe takes PIPE_BUF
 * bytes whole or not at all, so as many as fit in there are safe from being split, whoever else
 * writes to it. Longer writes can be cut short, but only between pages, and so never inside a
 * record when all are of whole pages, as the pieces of a large write are. A message goes alone.
 */
static bool record_joins(const struct relay_stream *stream, size_t total, size_t record, bool full)
{
    if (stream_has_messages(stream))
        return false;
    return total + record <= PIPE_BUF || (full && record % PIPE_BUF == 0);
}

static int records_span(const struct relay_stream *stream, struct iovec *iov)
{
    size_t offset = 0, total = 0;
    bool full = true;
    int count = 0;

    if (stream->record_left > 0)
        return ring_span(&stream->ring, 0, stream->record_left, iov);
    while (offset < stream->checked && count + RING_PIECES <= IOV_COUNT) {
        size_t record = ring_word(&stream->ring, offset);

        if (offset > 0 && !record_joins(stream, total, record, full))
            break;
        full = full && record % PIPE_BUF == 0;
        count += ring_span(&stream->ring, offset + RELAY_RECORD, record, iov + count);
        total += record;
        offset += RELAY_RECORD + record;
    }
    return count;
}

static void records_took(struct relay_stream *stream, size_t bytes)
{
    if (stream->record_left > 0) {
        stream->record_left -= bytes;
        ring_took(stream, bytes);
        return;
    }
    do {
        size_t record = ring_word(&stream->ring, 0);
        size_t part = bytes < record ? bytes : record;

        stream->record_left = record - part;
        ring_took(stream, RELAY_RECORD + part);
        bytes -= part;
    } while (bytes > 0);
}

/* Room in the socket for a message longer than what it takes by itself. */
static bool buffer_grow(const struct relay_stream *stream)
{
    int want = 2 * RELAY_MESSAGE_MAX, have = 0;
    socklen_t len = sizeof(have);

    getsockopt(stream->sink.fd, SOL_SOCKET, SO_SNDBUF, &have, &len);
    return have < want &&
           setsockopt(stream->sink.fd, SOL_SOCKET, SO_SNDBUFFORCE, &want, sizeof(want)) == 0;
}

/* False: the sink is broken. A datagram that cannot be sent is lost, as datagrams are. */
static bool message_failed(struct relay_stream *stream, int error)
{
    if (error == EMSGSIZE && buffer_grow(stream))
        return true;
    if (stream->kind != STREAM_DATAGRAM)
        return false;
    if (error != EMSGSIZE && error != ECONNREFUSED && error != ENOBUFS && error != EHOSTUNREACH &&
        error != ENETUNREACH)
        return false;
    records_took(stream, ring_word(&stream->ring, 0));
    return true;
}

/* 0 to go on; -EAGAIN; -EPIPE: broken. */
static int sink_step(struct relay_stream *stream)
{
    struct iovec iov[IOV_COUNT];
    int count = stream->record_max ? records_span(stream, iov)
                                   : ring_span(&stream->ring, 0, stream->checked, iov);
    ssize_t n = relay_fd_write(&stream->sink, iov, count);

    if (n == -EAGAIN)
        return -EAGAIN;
    if (n < 0)
        return stream_has_messages(stream) && message_failed(stream, (int)-n) ? 0 : -EPIPE;
    if (stream->record_max)
        records_took(stream, (size_t)n);
    else
        ring_took(stream, (size_t)n);
    return 0;
}

void sink_write(struct relay_stream *stream)
{
    int error = 0;

    while (!error && stream->checked > 0 && !stream->sink_blocked)
        error = sink_step(stream);
    if (error == -EAGAIN)
        relay_fd_grow(&stream->sink);
    if (error == -EAGAIN && event_add(stream->writable, NULL) == 0)
        stream->sink_blocked = true;
    else if (error)
        sink_break(stream);
    else if (stream->eof_received && stream->ring.len == 0 && !stream->sink_done)
        sink_end(stream);
}

void sink_on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct relay_stream *stream = arg;

    (void)fd, (void)what;
    stream->sink_blocked = false;
    sink_write(stream);
    link_pump(stream->relay);
}

void sink_on_reader_gone(evutil_socket_t fd, short what, void *arg)
{
    struct relay_stream *stream = arg;

    (void)fd, (void)what;
    sink_break(stream);
    link_pump(stream->relay);
}
