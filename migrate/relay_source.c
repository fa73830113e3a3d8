/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "migrate/relay_impl.h"

/* Less room than this is not worth a frame; what the peer still holds brings more. */
#define ROOM_MIN (16 * 1024)

/* A pipe's usual size: who writes as much at once can do with more. */
#define PIPE_USUAL (16 * PIPE_BUF)

static bool source_has_pages(const struct relay_stream *stream)
{
    return stream->kind == STREAM_PIPE_WRITE && stream->source.pipe_reader;
}

static size_t room_needed(const struct relay_stream *stream)
{
    if (stream_has_messages(stream))
        return RELAY_RECORD + RELAY_MESSAGE_MAX;
    return source_has_pages(stream) ? PAGES_ROOM : ROOM_MIN;
}

static void ready_add(struct relay_stream *stream)
{
    if (!stream->ready)
        TAILQ_INSERT_TAIL(&stream->relay->ready, stream, ready_link);
    stream->ready = true;
}

static void ready_remove(struct relay_stream *stream)
{
    if (stream->ready)
        TAILQ_REMOVE(&stream->relay->ready, stream, ready_link);
    stream->ready = false;
}

static bool source_may_wait(const struct relay_stream *stream)
{
    return !stream->relay->broken && !stream->source_done && !stream->ready && !stream->waiting &&
           stream->credit >= room_needed(stream);
}

void source_wait(struct relay_stream *stream)
{
    bool pending = event_pending(stream->readable, EV_READ, NULL);

    if (!source_may_wait(stream)) {
        if (pending)
            event_del(stream->readable);
    } else if (stream->draining || stream->source.way == RELAY_FD_PLAIN) {
        ready_add(stream);
    } else if (!pending && event_add(stream->readable, NULL) < 0) {
        source_end(stream);
    }
}

void source_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct relay_stream *stream = arg;

    (void)fd, (void)what;
    if (hold_check(stream)) {
        stream->waiting = true;
        stream->held_told = stream->due_held = true;
        stream_due(stream);
        hold_wait(stream->relay);
    } else {
        ready_add(stream);
    }
    link_pump(stream->relay);
    source_wait(stream);
}

/* What comes late, after all have let go, changes nothing. */
void source_wanted(struct relay_stream *stream, size_t bytes)
{
    if (!stream->held_told || !stream->waiting)
        return;
    stream->held_told = stream->waiting = false;
    stream->wanted = bytes;
    ready_add(stream);
}

void source_credit(struct relay_stream *stream, size_t bytes)
{
    stream->credit += bytes;
    source_wait(stream);
}

static void drain_done(struct relay_stream *stream)
{
    if (stream->draining)
        stream->relay->draining--;
    stream->draining = false;
}

/*
 * More than it held when the drain began means somebody else goes on writing, and nobody has to
 * wait for him; reading as much and not more leaves the chance to see the end.
 */
static void drain_took(struct relay_stream *stream, size_t bytes)
{
    if (!stream->draining)
        return;
    stream->drain_left -= (int)bytes;
    if (stream->drain_left < 0)
        drain_done(stream);
}

void source_drain(struct relay_stream *stream)
{
    int waiting;

    if (stream->source_done || hold_check(stream))
        return;
    stream->waiting = false;
    waiting = stream_has_messages(stream) ? -1 : relay_fd_waiting(&stream->source);
    stream->drain_left = waiting < 0 ? INT_MAX : waiting;
    stream->draining = true;
    stream->relay->draining++;
    event_del(stream->readable);
    source_wait(stream);
}

void source_end(struct relay_stream *stream)
{
    if (stream->source_done)
        return;
    ready_remove(stream);
    drain_done(stream);
    stream->waiting = false;
    stream->source_done = true;
    stream->due_eof = true;
    stream_due(stream);
    /* Nobody at the other end any more, not only nothing more to read. */
    if (stream->duplex && relay_fd_poll(&stream->source, 0) & POLLHUP)
        sink_break(stream);
    stream_close_source(stream);
}

/* A datagram socket shows its end to poll(2) alone, where it would look readable for ever. */
static ssize_t message_read(const struct relay_stream *stream, uint8_t *bytes)
{
    const struct relay_fd *source = &stream->source;
    ssize_t n = relay_fd_read_message(source, bytes, RELAY_MESSAGE_MAX);

    if (stream->kind == STREAM_SEQPACKET)
        return n == 0 ? -EPIPE : n;
    if (n == -EAGAIN && relay_fd_poll(source, POLLRDHUP) & POLLRDHUP)
        return -EPIPE;
    /* The network's word on a datagram sent earlier, or one too long: as lost as any other. */
    return n == -ECONNREFUSED || n == -EMSGSIZE ? -EAGAIN : n;
}

static ssize_t piece_read(struct relay_stream *stream, uint8_t *bytes, size_t len)
{
    ssize_t n = relay_fd_read(&stream->source, bytes, len);

    return n == 0 ? -EPIPE : n;
}

/* One record with its length in front: bytes used, or a negative errno; -EPIPE is the end. */
static ssize_t record_read(struct relay_stream *stream, uint8_t *bytes)
{
    uint8_t *at = bytes + RELAY_RECORD;
    ssize_t n = stream_has_messages(stream) ? message_read(stream, at)
                                            : piece_read(stream, at, stream->record_max);
    uint32_t length;

    if (n < 0)
        return n;
    length = htonl((uint32_t)n);
    memcpy(bytes, &length, sizeof(length));
    drain_took(stream, (size_t)n);
    return n + RELAY_RECORD;
}

/* The functions here put one body and say in *more whether another one may follow at once. */
static ssize_t records_read(struct relay_stream *stream, uint8_t *body, bool *more)
{
    size_t used = 0;
    ssize_t n;

    do {
        n = record_read(stream, body + used);
        if (n < 0)
            break;
        used += (size_t)n;
    } while (used < RELAY_CHUNK && used + RELAY_RECORD + stream->record_max <= stream->credit);
    *more = n >= 0;
    return used > 0 ? (ssize_t)used : n;
}

static ssize_t pieces_read(struct relay_stream *stream, uint8_t *body, bool *more)
{
    size_t len = stream->credit < RELAY_CHUNK ? stream->credit : RELAY_CHUNK;
    ssize_t n;

    if (stream->wanted && stream->wanted < len)
        len = stream->wanted;
    n = piece_read(stream, body, len);
    if (n > 0)
        drain_took(stream, (size_t)n);
    if (n >= PIPE_USUAL)
        relay_fd_grow(&stream->source);
    *more = n == (ssize_t)len && !stream->wanted;
    return n;
}

static ssize_t pages_take(struct relay_stream *stream, uint8_t *body, bool *more)
{
    size_t taken;
    ssize_t n = pages_read(&stream->relay->pages, relay_fd_use(&stream->source), body, &taken);

    drain_took(stream, taken);
    if (taken >= PIPE_USUAL)
        relay_fd_grow(&stream->source);
    *more = taken == PAGES_RUN;
    return n == 0 ? -EPIPE : n;
}

static ssize_t body_read(struct relay_stream *stream, uint8_t *body, bool *more)
{
    if (source_has_pages(stream))
        return pages_take(stream, body, more);
    return stream->record_max ? records_read(stream, body, more) : pieces_read(stream, body, more);
}

size_t source_read(struct relay_stream *stream, uint8_t *body)
{
    bool more;
    ssize_t n = body_read(stream, body, &more);

    ready_remove(stream);
    stream->wanted = 0;
    if (n > 0)
        stream->credit -= (size_t)n;
    if (n < 0 && (n != -EAGAIN || stream->source.way == RELAY_FD_PLAIN)) {
        source_end(stream);
        flush_spare(stream->relay);
    } else {
        if (n < 0)
            drain_done(stream);
        if (more && stream->credit >= room_needed(stream))
            ready_add(stream);
        else
            source_wait(stream);
    }
    return n > 0 ? (size_t)n : 0;
}
