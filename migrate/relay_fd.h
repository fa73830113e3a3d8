/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of a stream: reading and writing it without ever blocking, and without making it
 * non-blocking for those who share it.
 *
 * Life: relay_fd_open() finds the way for the descriptor and owns it from then on;
 * relay_fd_close() ends it. Sockets are asked for each transfer, pipes and terminals are opened a
 * second time unless nobody shares them, regular files are simply used, and the rest is polled and
 * used in small pieces.
 */
#ifndef BPROC_RELAY_FD_H
#define BPROC_RELAY_FD_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

enum relay_fd_way { RELAY_FD_SOCKET, RELAY_FD_NONBLOCK, RELAY_FD_POLLED, RELAY_FD_PLAIN };

struct relay_fd {
    int fd;                     /* -1: none */
    enum relay_fd_way way;      /* PLAIN: the event loop cannot wait for it; always ready */
    bool pipe_writer;           /* the write end of a pipe: the loop can tell its reader's end */
    bool pipe_reader;
    bool grown;
    dev_t dev;
    ino_t ino;
    const struct ucred *sender; /* borrowed; in whose name a socket is written to; NULL: ours */
};

/* Takes `fd`, on failure too; `own`: nobody shares what it has open. 0 or -errno. */
int relay_fd_open(struct relay_fd *end, int fd, bool own);

/* Gives a pipe that was found full more room, once: its two ends wake one another less often. */
void relay_fd_grow(struct relay_fd *end);

/* Does not touch errno. */
void relay_fd_close(struct relay_fd *end);

/* Bytes read, 0 at the end, -EAGAIN, or another negative errno. Never blocks. */
ssize_t relay_fd_read(const struct relay_fd *end, void *bytes, size_t len);

/*
 * The same for one message of a socket that keeps their boundaries: 0 is an empty message or the
 * end. -EMSGSIZE: it was longer than `len` and is lost.
 */
ssize_t relay_fd_read_message(const struct relay_fd *end, void *bytes, size_t len);

/* Bytes written, -EAGAIN, or another negative errno. Never blocks but on a regular file. */
ssize_t relay_fd_write(const struct relay_fd *end, const struct iovec *iov, int count);

/* What poll(2) says now about `events`. */
short relay_fd_poll(const struct relay_fd *end, short events);

/* Bytes that wait to be read; -1 when the kernel does not tell. */
int relay_fd_waiting(const struct relay_fd *end);

#endif
