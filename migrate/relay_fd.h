/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of a stream: reading and writing it without ever blocking, and without making it
 * non-blocking for those who share it.
 *
 * Life: relay_fd_open() finds the way for the descriptor and owns it from then on;
 * relay_fd_close() ends it. Sockets are asked for each transfer, terminals are opened a second
 * time, pipes as well when they are used first, regular files are simply used, and the rest is
 * polled and used in small pieces. What nobody shares needs none of that: relay_fd_own().
 */
#ifndef BPROC_RELAY_FD_H
#define BPROC_RELAY_FD_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

enum relay_fd_way {
    RELAY_FD_SOCKET, RELAY_FD_NONBLOCK, RELAY_FD_SHARED, RELAY_FD_POLLED, RELAY_FD_PLAIN
};

struct relay_fd {
    int fd;                     /* -1: none */
    int again;                  /* a SHARED one, opened a second time; -1: it has not been used */
    enum relay_fd_way way;      /* PLAIN: the event loop cannot wait for it; always ready */
    bool pipe_writer;           /* the write end of a pipe: the loop can tell its reader's end */
    bool pipe_reader;
    bool grown;
    int most;                   /* bytes that a pipe is made to hold, if that is called for */
    dev_t dev;                  /* of what others may share */
    ino_t ino;
    const struct ucred *sender; /* borrowed; in whose name a socket is written to; NULL: ours */
};

/* No end at all. */
#define RELAY_FD_NONE ((struct relay_fd){ .fd = -1, .again = -1 })

/* Takes `fd`, on failure too. 0 or -errno. */
int relay_fd_open(struct relay_fd *end, int fd);

/* The same for the read or write end of a pipe, or a socket, that nobody else has open. */
int relay_fd_own(struct relay_fd *end, int fd, bool pipe, bool writes);

/* The descriptor to be used in calls that are not to block. */
int relay_fd_use(struct relay_fd *end);

/* Gives a pipe that was found full more room, once: its two ends wake one another less often. */
void relay_fd_grow(struct relay_fd *end);

/* Does not touch errno. */
void relay_fd_close(struct relay_fd *end);

/* Bytes read, 0 at the end, -EAGAIN, or another negative errno. Never blocks. */
ssize_t relay_fd_read(struct relay_fd *end, void *bytes, size_t len);

/*
 * The same for one message of a socket that keeps their boundaries: 0 is an empty message or the
 * end. -EMSGSIZE: it was longer than `len` and is lost.
 */
ssize_t relay_fd_read_message(const struct relay_fd *end, void *bytes, size_t len);

/* Bytes written, -EAGAIN, or another negative errno. Never blocks but on a regular file. */
ssize_t relay_fd_write(struct relay_fd *end, const struct iovec *iov, int count);

/* What poll(2) says now about `events`. */
short relay_fd_poll(const struct relay_fd *end, short events);

/* Bytes that wait to be read; -1 when the kernel does not tell. */
int relay_fd_waiting(const struct relay_fd *end);

#endif
