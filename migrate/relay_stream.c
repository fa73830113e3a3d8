/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "migrate/relay_impl.h"

bool stream_is_over(const struct relay_stream *stream)
{
    return stream->source_done && stream->sink_done &&
           (stream->source_none || stream->closed_received);
}

void stream_stop(struct relay_stream *stream)
{
    if (stream->readable)
        event_del(stream->readable);
    if (stream->writable)
        event_del(stream->writable);
    if (stream->reader_gone)
        event_del(stream->reader_gone);
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
    stream->sink = RELAY_FD_NONE;
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
    } else if (stream->closed_received) {
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
    } else {
        stream->late_shut_write = true;
        stream_shut_soon(stream);
    }
}

void stream_free(struct relay_stream *stream)
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

static bool kind_is_pipe(stream_kind kind)
{
    return kind == STREAM_PIPE_WRITE || kind == STREAM_OUTPUT || kind == STREAM_PIPE_READ;
}

static int end_open(const struct relay_stream *stream, struct relay_fd *end, int fd)
{
    return stream->relay->own ? relay_fd_own(end, fd, kind_is_pipe(stream->kind),
                                             end == &stream->sink) : relay_fd_open(end, fd);
}

/* Opens both ends; the descriptors are taken whatever happens. */
static int stream_open(struct relay_stream *stream, int read_fd, int write_fd)
{
    int error = 0;

    stream->source = stream->sink = RELAY_FD_NONE;
    stream->duplex = read_fd >= 0 && read_fd == write_fd;
    if (read_fd >= 0)
        error = end_open(stream, &stream->source, read_fd);
    /* Of a pipe each copy would open, and close, a description of its own. */
    if (stream->duplex && !error && stream->source.way != RELAY_FD_SOCKET)
        error = -ENOTSOCK;
    if (stream->duplex) {
        stream->sink = stream->source;
    } else if (write_fd >= 0) {
        int other = end_open(stream, &stream->sink, write_fd);

        error = error ? error : other;
    }
    stream->source_none = stream->source_done = stream->source.fd < 0;
    stream->sink_none = stream->sink_done = stream->sink.fd < 0;
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
    stream->credit = stream->granted = stream->window;
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
