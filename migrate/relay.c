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

static void stream_stop(struct relay_stream *stream)
{
    if (stream->readable)
        event_del(stream->readable);
    if (stream->writable)
        event_del(stream->writable);
    if (stream->reader_gone)
        event_del(stream->reader_gone);
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

static bool stream_is_over(const struct relay_stream *stream)
{
    return stream->source_done && stream->sink_done &&
           (stream->source_none || stream->closed_received);
}

bool relay_is_idle(const struct relay *relay)
{
    if (relay->flush == FLUSH_DRAINING || relay->flush == FLUSH_SENT || relay->flush_asked ||
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

void stream_due(struct relay_stream *stream)
{
    stream->relay->due = true;
}

bool stream_has_messages(const struct relay_stream *stream)
{
    return stream->kind == STREAM_DATAGRAM || stream->kind == STREAM_SEQPACKET;
}

static void stream_close_all(struct relay_stream *stream)
{
    stream_stop(stream);
    stream->late_shut_read = stream->late_shut_write = false;
    relay_fd_close(&stream->source);
    stream->sink.fd = -1;
}

void stream_shut_late(struct relay_stream *stream)
{
    if (stream->late_shut_read)
        shutdown(stream->source.fd, SHUT_RD);
    if (stream->late_shut_write)
        shutdown(stream->source.fd, SHUT_WR);
    stream->late_shut_read = stream->late_shut_write = false;
}

/* Shutting down would hit everybody who has the socket, so the parent must be done with it. */
static void stream_shut_soon(struct relay_stream *stream)
{
    if (hold_check(stream))
        hold_wait(stream->relay);
    else
        stream_shut_late(stream);
}

void stream_close_source(struct relay_stream *stream)
{
    event_del(stream->readable);
    if (!stream->duplex) {
        relay_fd_close(&stream->source);
    } else if (stream->sink_done || stream->sink_broken) {
        stream_close_all(stream);
    } else if (stream->closed_received && stream->source.way == RELAY_FD_SOCKET) {
        stream->late_shut_read = true;
        stream_shut_soon(stream);
    }
}

void stream_close_sink(struct relay_stream *stream)
{
    event_del(stream->writable);
    if (stream->reader_gone)
        event_del(stream->reader_gone);
    if (!stream->duplex) {
        /* Closing alone would tell a TCP peer nothing while others have the socket open. */
        if (stream->sink.way == RELAY_FD_SOCKET)
            shutdown(stream->sink.fd, SHUT_WR);
        relay_fd_close(&stream->sink);
    } else if (stream->source_done) {
        stream_close_all(stream);
    } else if (stream->sink.way == RELAY_FD_SOCKET) {
        stream->late_shut_write = true;
        stream_shut_soon(stream);
    }
}

static void stream_free(struct relay_stream *stream)
{
    if (!stream)
        return;
    if (stream->readable)
        event_free(stream->readable);
    if (stream->writable)
        event_free(stream->writable);
    if (stream->reader_gone)
        event_free(stream->reader_gone);
    relay_fd_close(&stream->source);
    if (!stream->duplex)
        relay_fd_close(&stream->sink);
    ring_free(&stream->ring);
    free(stream);
}

/* Opens both ends; the descriptors are taken whatever happens. */
static int stream_open(struct relay_stream *stream, int read_fd, int write_fd)
{
    int error = 0;

    stream->source.fd = stream->sink.fd = -1;
    stream->duplex = read_fd >= 0 && read_fd == write_fd;
    if (read_fd >= 0)
        error = relay_fd_open(&stream->source, read_fd);
    if (stream->duplex) {
        stream->sink = stream->source;
    } else if (write_fd >= 0) {
        int other = relay_fd_open(&stream->sink, write_fd);

        error = error ? error : other;
    }
    stream->source_none = stream->source_done = stream->source.fd < 0;
    stream->sink_done = stream->sink.fd < 0;
    return error;
}

static void stream_set_kind(struct relay_stream *stream, stream_kind kind)
{
    stream->kind = kind;
    stream->window = RELAY_WINDOW;
    if (kind == STREAM_PIPE_WRITE)
        stream->record_max = PIPE_BUF;
    if (stream_has_messages(stream)) {
        stream->record_max = RELAY_MESSAGE_MAX;
        stream->window = RELAY_MESSAGE_WINDOW;
    }
    stream->credit = stream->granted = stream->ring.size = stream->window;
}

static int stream_make_events(struct relay_stream *stream)
{
    struct event_base *base = stream->relay->base;

    stream->readable = event_new(base, stream->source.fd, EV_READ | EV_PERSIST, source_on_readable,
                                 stream);
    stream->writable = event_new(base, stream->sink.fd, EV_WRITE, sink_on_writable, stream);
    if (!stream->readable || !stream->writable)
        return -ENOMEM;
    if (!stream->sink.pipe_writer || stream->sink.fd < 0)
        return 0;
    /* A pipe without readers is an error condition to epoll, and that arrives as readiness. */
    stream->reader_gone = event_new(base, stream->sink.fd, EV_READ, sink_on_reader_gone, stream);
    return stream->reader_gone && event_add(stream->reader_gone, NULL) == 0 ? 0 : -ENOMEM;
}

static void fds_close(int read_fd, int write_fd)
{
    if (read_fd >= 0)
        close(read_fd);
    if (write_fd >= 0 && write_fd != read_fd)
        close(write_fd);
}

void relay_turn_soon(struct relay *relay)
{
    static const struct timeval now = { 0, 0 };

    if (!relay->broken)
        event_add(relay->again, &now);
}

int relay_add(struct relay *relay, unsigned id, stream_kind kind, unsigned flags, int read_fd,
              int write_fd)
{
    struct relay_stream *stream;
    int error = 0;

    if (id >= BPROC_MAX_STREAMS || kind < STREAM_PIPE_WRITE || kind > STREAM_CONNECT)
        error = -EINVAL;
    else if (relay->streams[id])
        error = -EEXIST;
    stream = error ? NULL : calloc(1, sizeof(*stream));
    if (!stream) {
        fds_close(read_fd, write_fd);
        return error ? error : -ENOMEM;
    }
    stream->relay = relay;
    stream->id = id;
    stream_set_kind(stream, kind);
    error = stream_open(stream, read_fd, write_fd);
    if (!error)
        error = stream_make_events(stream);
    if (error) {
        stream_free(stream);
        return error;
    }
    stream->shared = relay->parent_dir >= 0 && !(flags & STREAM_F_EAGER) &&
                     kind != STREAM_CONNECT && !stream->source_done;
    if (relay->sender.pid)
        stream->sink.sender = &relay->sender;
    relay->streams[id] = stream;
    source_wait(stream);
    relay_turn_soon(relay);
    return 0;
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
        !relay->hold_timer || !relay->want_timer || !relay->peer_timer ||
        event_add(relay->tls_readable, NULL) < 0)
        return -ENOMEM;
    return evutil_make_socket_nonblocking(fd) < 0 ? -errno : 0;
}

struct relay *relay_new(struct event_base *base, SSL *ssl, const struct relay_ops *ops, void *arg)
{
    struct relay *relay = calloc(1, sizeof(*relay));
    int one = 1, unsent = UNSENT_MAX, fd = SSL_get_fd(ssl), error;

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
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Hints for TCP; without them all works, only slower. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
    /* The blocking phase may have read ahead what the socket will not announce again. */
    relay_turn_soon(relay);
    return relay;
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
