/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "migrate/relay_impl.h"

#define WANT_MS_MIN 1
#define WANT_MS_MAX 20

static void want_later(struct relay *relay)
{
    struct timeval delay = { .tv_usec = relay->want_ms * 1000 };

    if (!event_pending(relay->want_timer, EV_TIMEOUT, NULL))
        event_add(relay->want_timer, &delay);
}

void want_ask(struct relay_stream *stream)
{
    struct relay *relay = stream->relay;

    stream->asked = true;
    relay->want_ms = WANT_MS_MIN;
    want_later(relay);
}

/* A process that has not yet taken what it was given last wants nothing. */
static bool is_served(const struct relay_stream *stream)
{
    int waiting = 0;

    if (stream->ring.len > 0)
        return false;
    if (ioctl(stream->sink.fd, stream->sink.way == RELAY_FD_SOCKET ? SIOCOUTQ : FIONREAD,
              &waiting) < 0)
        return true;
    return waiting == 0;
}

static size_t stream_wants(const struct relay_stream *stream)
{
    const struct relay *relay = stream->relay;

    if (!relay->ops->wanted)
        return stream->window;
    return is_served(stream) ? relay->ops->wanted(stream->relay, stream->id, relay->arg) : 0;
}

/* One look; true: to be looked at again. */
static bool want_look(struct relay_stream *stream)
{
    if (stream->sink_broken || stream->sink_done)
        stream->asked = false;
    if (!stream->asked)
        return false;
    stream->wants = stream_wants(stream);
    if (stream->wants == 0)
        return true;
    stream->asked = false;
    stream_due(stream);
    return false;
}

void want_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct relay *relay = arg;
    bool again = false;

    (void)fd, (void)what;
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++)
        if (relay->streams[i] && want_look(relay->streams[i]))
            again = true;
    relay->want_ms = relay->want_ms * 2 < WANT_MS_MAX ? relay->want_ms * 2 : WANT_MS_MAX;
    if (again)
        want_later(relay);
    link_pump(relay);
}
