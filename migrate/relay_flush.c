/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>

#include "migrate/relay_impl.h"

/* ---- where the process was ---- */

void relay_set_direct(struct relay *relay)
{
    relay->direct = true;
}

int relay_flush(struct relay *relay)
{
    if (relay->flush != FLUSH_NONE)
        return -EALREADY;
    relay->flush = FLUSH_DRAINING;
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++)
        if (relay->streams[i])
            source_drain(relay->streams[i]);
    peer_watch(relay);
    relay_turn_soon(relay);
    return 0;
}

bool flush_is_due(const struct relay *relay)
{
    return relay->flush == FLUSH_DRAINING && relay->draining == 0;
}

/* The peer says of bytes that it has delivered them by credit, late, or by the last mark. */
static bool is_delivered(const struct relay_stream *stream)
{
    return stream->source_none || stream->closed_received || stream->credit == stream->window;
}

static bool all_is_delivered(const struct relay *relay)
{
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++)
        if (relay->streams[i] && !is_delivered(relay->streams[i]))
            return false;
    return true;
}

static void flush_end(struct relay *relay)
{
    relay->flush = FLUSH_DONE;
    relay->say_flushed = true;
    relay_notify(relay);
}

/* Nothing can come any more. */
static bool all_is_said(const struct relay *relay)
{
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++)
        if (relay->streams[i] && !relay->streams[i]->source_done)
            return false;
    return true;
}

void flush_spare(struct relay *relay)
{
    if (relay->direct && (relay->flush == FLUSH_NONE || relay->flush == FLUSH_CLOSING) &&
        all_is_said(relay) && all_is_delivered(relay))
        flush_end(relay);
}

void flush_over(struct relay *relay)
{
    if (relay->direct && relay->flush != FLUSH_DONE && all_is_said(relay) &&
        all_is_delivered(relay))
        flush_end(relay);
}

bool flush_is_past(const struct relay *relay)
{
    if (!relay->direct || relay->flush == FLUSH_DRAINING || relay->flush == FLUSH_SENT)
        return false;
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++) {
        const struct relay_stream *stream = relay->streams[i];

        if (stream && (!stream->source_done || (!stream->sink_none && !stream->closed_sent)))
            return false;
    }
    return true;
}

bool flush_begin(struct relay *relay)
{
    if (relay->direct && all_is_delivered(relay)) {
        flush_end(relay);
        return false;
    }
    relay->flush = relay->direct && all_is_said(relay) ? FLUSH_CLOSING : FLUSH_SENT;
    return relay->flush == FLUSH_SENT;
}

void flushed_received(struct relay *relay)
{
    if (relay->flush != FLUSH_SENT)
        relay_break(relay, "an answer to no flush from the peer");
    else
        flush_end(relay);
}

/* ---- where the originals are ---- */

void relay_set_last(struct relay *relay)
{
    relay->last = true;
}

void flush_received(struct relay *relay)
{
    if (relay->flush_received) {
        relay_break(relay, "a second flush from the peer");
        return;
    }
    relay->flush_received = true;
    /* The last word is on its way, and an answer. */
    if (relay->over_sent)
        return;
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++) {
        struct relay_stream *stream = relay->streams[i];

        if (stream && stream->ring.len > 0) {
            stream->flush_left = stream->ring.len;
            relay->flush_waiting++;
        }
    }
    if (relay->flush_waiting == 0)
        flush_delivered(relay);
}

void flush_delivered(struct relay *relay)
{
    if (!relay->ops->on_flush) {
        relay->due_flushed = true;
        return;
    }
    relay->flush_asked = relay->say_flush = true;
    relay_notify(relay);
}

void relay_flushed(struct relay *relay)
{
    if (!relay->flush_asked)
        return;
    relay->flush_asked = false;
    relay->due_flushed = true;
    relay_check_idle(relay);
    link_pump(relay);
}
