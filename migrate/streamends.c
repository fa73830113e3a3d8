/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/connectback.h"
#include "migrate/streamends.h"

static int pipe_make(int *reads, int *writes)
{
    int pair[2];

    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    *reads = pair[0];
    *writes = pair[1];
    return 0;
}

static int socket_make(int *process, int *relay, int type)
{
    int pair[2];

    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    *process = pair[0];
    *relay = pair[1];
    return 0;
}

static int direct_make(int *process, const launch_arg *launch, const stream_desc *stream,
                       uint32_t home)
{
    *process = connectback_open(stream, home, launch->pid);
    return *process < 0 ? *process : 0;
}

static int end_make(struct streamends *ends, const launch_arg *launch, unsigned i, uint32_t direct)
{
    const stream_desc *stream = &launch->streams.streams_val[i];
    int *process = &ends->process[i], *relay = &ends->relay[i];

    *process = *relay = -1;
    switch (stream->kind) {
    case STREAM_PIPE_WRITE:
    case STREAM_OUTPUT:
        return pipe_make(relay, process);
    case STREAM_PIPE_READ:
        return pipe_make(process, relay);
    case STREAM_DATAGRAM:
        return socket_make(process, relay, SOCK_DGRAM);
    case STREAM_SEQPACKET:
        return socket_make(process, relay, SOCK_SEQPACKET);
    case STREAM_CONNECT:
        /* One that is made later has to have an end already. */
        if (direct && !(stream->flags & STREAM_F_DELAY))
            return direct_make(process, launch, stream, direct);
        return socket_make(process, relay, SOCK_STREAM);
    case STREAM_SOCKET:
        return socket_make(process, relay, SOCK_STREAM);
    default:
        return -EPROTO;
    }
}

/* The end is a new one, not the one whose flags the image has. */
static int end_set_flags(int fd, const stream_desc *stream)
{
    if (!(stream->flags & STREAM_F_NONBLOCK))
        return 0;
    return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ? -errno : 0;
}

/* Who only writes is never asked whether he waits for bytes. */
static int end_identify(const stream_desc *stream, int fd, struct end_identity *identity)
{
    struct stat st;

    if (stream->kind == STREAM_PIPE_WRITE || stream->kind == STREAM_OUTPUT)
        return 0;
    if (fstat(fd, &st) < 0)
        return -errno;
    *identity = (struct end_identity){ .dev = st.st_dev, .ino = st.st_ino };
    return 0;
}

int streamends_make(struct streamends *ends, const launch_arg *launch, uint32_t direct_addr,
                    char *text, size_t len)
{
    int error = 0;

    ends->count = 0;
    while (!error && ends->count < launch->streams.streams_len) {
        unsigned i = ends->count++;
        const stream_desc *stream = &launch->streams.streams_val[i];

        error = end_make(ends, launch, i, direct_addr);
        if (!error)
            error = end_set_flags(ends->process[i], stream);
        if (!error)
            error = end_identify(stream, ends->process[i], &ends->identity[i]);
    }
    if (error) {
        snprintf(text, len, "cannot make stream %u of process %d: %s", ends->count - 1,
                 launch->pid, strerror(-error));
        streamends_free(ends);
    }
    return error;
}

void streamends_release_process(struct streamends *ends)
{
    for (unsigned i = 0; i < ends->count; i++) {
        if (ends->process[i] >= 0)
            close(ends->process[i]);
        ends->process[i] = -1;
    }
}

void streamends_free(struct streamends *ends)
{
    streamends_release_process(ends);
    for (unsigned i = 0; i < ends->count; i++)
        if (ends->relay[i] >= 0)
            close(ends->relay[i]);
    ends->count = 0;
}
