/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "migrate/relay_impl.h"

/* What may lie in the socket unsent: more would only make marks wait behind data. */
#define UNSENT_MAX (256 * 1024)

void relay_notify(struct relay *relay)
{
    event_active(relay->notify, EV_TIMEOUT, 0);
}

/* Any of these calls may free the relay, so each turn makes one and touches nothing after it. */
static void relay_on_notify(evutil_socket_t fd, short what, void *arg)
{
    struct relay *relay = arg;
    void (*done)(struct relay *, void *) = NULL;

    (void)fd, (void)what;
    if (relay->say_flush) {
        relay->say_flush = false;
        done = relay->ops->on_flush;
    } else if (relay->say_flushed) {
        relay->say_flushed = false;
        done = relay->ops->on_flushed;
    } else if (relay->say_idle) {
        relay->say_idle = false;
        done = relay->ops->on_idle;
    } else if (relay->say_over) {
        relay->say_over = false;
        relay->ops->on_over(relay, relay->arg);
        return;
    } else if (relay->say_broken) {
        relay->say_broken = false;
        relay->ops->on_broken(relay, relay->reason, relay->arg);
        return;
    }
    if (relay->say_flushed || relay->say_idle || relay->say_over || relay->say_broken)
        relay_notify(relay);
    if (done)
        done(relay, relay->arg);
}

static void relay_stop(struct relay *relay)
{
    event_del(relay->tls_readable);
    event_del(relay->tls_writable);
    event_del(relay->again);
    event_del(relay->hold_timer);
    event_del(relay->want_timer);
    event_del(relay->peer_timer);
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++)
        if (relay->streams[i])
            stream_stop(relay->streams[i]);
}

void relay_break(struct relay *relay, const char *fmt, ...)
{
    va_list args;

    if (relay->broken)
        return;
    va_start(args, fmt);
    vsnprintf(relay->reason, sizeof(relay->reason), fmt, args);
    va_end(args);
    relay->broken = relay->say_broken = true;
    relay_stop(relay);
    relay_notify(relay);
}

bool relay_is_idle(const struct relay *relay)
{
    if ((relay->flush != FLUSH_NONE && relay->flush != FLUSH_DONE) || relay->flush_asked ||
        relay->due_flushed)
        return false;
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++)
        if (relay->streams[i] && !stream_is_over(relay->streams[i]))
            return false;
    return true;
}

void relay_check_idle(struct relay *relay)
{
    if (relay->said_idle || relay->broken || !relay_is_idle(relay))
        return;
    relay->said_idle = relay->say_idle = true;
    relay_notify(relay);
}

void relay_over(struct relay *relay)
{
    if (relay->broken || relay->over_sent)
        return;
    relay->due_over = true;
    link_pump(relay);
}

void relay_check_over(struct relay *relay)
{
    if (relay->broken || relay->due_over || !relay->over_sent || !relay->over_received ||
        relay->said_over)
        return;
    relay->said_over = relay->say_over = true;
    relay_stop(relay);
    relay_notify(relay);
}

void relay_turn_soon(struct relay *relay)
{
    static const struct timeval now = { 0, 0 };

    if (!relay->broken)
        event_add(relay->again, &now);
}

int relay_set_parent(struct relay *relay, pid_t pid)
{
    char path[32];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (relay->parent_dir >= 0)
        close(relay->parent_dir);
    relay->parent_dir = fd;
    return 0;
}

void relay_set_sender(struct relay *relay, const struct ucred *sender)
{
    relay->sender = *sender;
}

void relay_set_own(struct relay *relay)
{
    relay->own = true;
}

static int relay_make_events(struct relay *relay)
{
    int fd = SSL_get_fd(relay->ssl);

    relay->tls_readable = event_new(relay->base, fd, EV_READ | EV_PERSIST, link_on_readable, relay);
    relay->tls_writable = event_new(relay->base, fd, EV_WRITE, link_on_writable, relay);
    relay->again = event_new(relay->base, -1, 0, link_on_readable, relay);
    relay->notify = event_new(relay->base, -1, 0, relay_on_notify, relay);
    relay->hold_timer = event_new(relay->base, -1, 0, hold_on_timer, relay);
    relay->want_timer = event_new(relay->base, -1, 0, want_on_timer, relay);
    relay->peer_timer = event_new(relay->base, -1, 0, peer_on_timer, relay);
    if (!relay->tls_readable || !relay->tls_writable || !relay->again || !relay->notify ||
        !relay->hold_timer || !relay->want_timer || !relay->peer_timer)
        return -ENOMEM;
    return 0;
}

struct relay *relay_new(struct event_base *base, SSL *ssl, const struct relay_ops *ops, void *arg)
{
    struct relay *relay = calloc(1, sizeof(*relay));
    int error;

    if (!relay)
        return NULL;
    relay->base = base;
    relay->ssl = ssl;
    relay->ops = ops;
    relay->arg = arg;
    relay->parent_dir = -1;
    TAILQ_INIT(&relay->ready);
    pages_init(&relay->pages);
    relay->tx = malloc(RELAY_TX_SIZE);
    error = relay->tx ? relay_make_events(relay) : -ENOMEM;
    if (error) {
        relay_free(relay);
        errno = -error;
        return NULL;
    }
    return relay;
}

int relay_begin(struct relay *relay)
{
    int one = 1, unsent = UNSENT_MAX, fd = SSL_get_fd(relay->ssl);

    if (ioctl(fd, FIONBIO, &one) < 0 || event_add(relay->tls_readable, NULL) < 0)
        return -ENOMEM;
    SSL_set_mode(relay->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* A hint for TCP; without it all works, only slower. */
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
    /* The blocking phase may have read ahead what the socket will not announce again. */
    relay_turn_soon(relay);
    return 0;
}

void relay_push(struct relay *relay)
{
    relay->tx_gathered = true;
    link_pump(relay);
}

void relay_free(struct relay *relay)
{
    struct event *events[7];

    if (!relay)
        return;
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++)
        stream_free(relay->streams[i]);
    events[0] = relay->tls_readable;
    events[1] = relay->tls_writable;
    events[2] = relay->again;
    events[3] = relay->notify;
    events[4] = relay->hold_timer;
    events[5] = relay->peer_timer;
    events[6] = relay->want_timer;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i])
            event_free(events[i]);
    if (relay->parent_dir >= 0)
        close(relay->parent_dir);
    pages_free(&relay->pages);
    free(relay->tx);
    free(relay);
}
