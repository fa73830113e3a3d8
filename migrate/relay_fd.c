/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "migrate/relay_fd.h"

#define PTMX_MAJOR 5
#define PTMX_MINOR 2
#define UNIX98_MASTER_MAJOR 128

/*
 * What a pipe is to hold that is found full. A user's counts against what he may have of pipes,
 * beyond which each new one holds two pages.
 */
#define PIPE_GROWN (256 * 1024)
#define PIPE_OWN_GROWN (1024 * 1024)

/* Opening the multiplexer makes another terminal; it is not the same one again. */
static bool is_pty_master(const struct stat *st)
{
    return (major(st->st_rdev) == PTMX_MAJOR && minor(st->st_rdev) == PTMX_MINOR) ||
           major(st->st_rdev) == UNIX98_MASTER_MAJOR;
}

static bool can_reopen(const struct stat *st)
{
    return S_ISFIFO(st->st_mode) || (S_ISCHR(st->st_mode) && !is_pty_master(st));
}

/* A second open file description, so that O_NONBLOCK is ours alone. */
static int reopen(int fd, int flags)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static bool is_pipe_end(const struct stat *st, int flags)
{
    return S_ISFIFO(st->st_mode) && (flags & O_ACCMODE) != O_RDWR;
}

static enum relay_fd_way way_of(int *fd, const struct stat *st, int flags)
{
    int again;

    if (S_ISSOCK(st->st_mode))
        return RELAY_FD_SOCKET;
    if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
        return RELAY_FD_PLAIN;
    /* Most devices, /dev/null among them, have no poll; terminals have. */
    if (S_ISCHR(st->st_mode) && !isatty(*fd))
        return RELAY_FD_PLAIN;
    if (is_pipe_end(st, flags))
        return RELAY_FD_SHARED;
    again = can_reopen(st) ? reopen(*fd, flags) : -1;
    if (again >= 0) {
        close(*fd);
        *fd = again;
    }
    return again >= 0 || flags & O_NONBLOCK ? RELAY_FD_NONBLOCK : RELAY_FD_POLLED;
}

int relay_fd_open(struct relay_fd *end, int fd)
{
    struct stat st;
    int flags = fcntl(fd, F_GETFL);
    int error = flags < 0 || fstat(fd, &st) < 0 ? -errno : 0;

    *end = RELAY_FD_NONE;
    /* A mere name of a file, for which nobody had to be allowed to read it: we open it anew. */
    if (!error && flags & O_PATH)
        error = -EBADF;
    if (error) {
        close(fd);
        return error;
    }
    end->way = way_of(&fd, &st, flags);
    end->fd = fd;
    end->most = PIPE_GROWN;
    end->pipe_writer = S_ISFIFO(st.st_mode) && (flags & O_ACCMODE) == O_WRONLY;
    end->pipe_reader = S_ISFIFO(st.st_mode) && (flags & O_ACCMODE) == O_RDONLY;
    end->dev = st.st_dev;
    end->ino = st.st_ino;
    return 0;
}

int relay_fd_own(struct relay_fd *end, int fd, bool pipe, bool writes)
{
    int on = 1, error = pipe && ioctl(fd, FIONBIO, &on) < 0 ? -errno : 0;

    *end = RELAY_FD_NONE;
    if (error) {
        close(fd);
        return error;
    }
    end->fd = fd;
    end->most = PIPE_OWN_GROWN;
    end->way = pipe ? RELAY_FD_NONBLOCK : RELAY_FD_SOCKET;
    end->pipe_writer = pipe && writes;
    end->pipe_reader = pipe && !writes;
    return 0;
}

/* A short command that says nothing needs no second description. */
int relay_fd_use(struct relay_fd *end)
{
    if (end->way != RELAY_FD_SHARED)
        return end->fd;
    if (end->again < 0)
        end->again = reopen(end->fd, end->pipe_writer ? O_WRONLY : O_RDONLY);
    if (end->again >= 0)
        return end->again;
    end->way = RELAY_FD_POLLED;
    return end->fd;
}

void relay_fd_close(struct relay_fd *end)
{
    int saved = errno;

    if (end->fd >= 0)
        close(end->fd);
    if (end->again >= 0)
        close(end->again);
    end->fd = end->again = -1;
    errno = saved;
}

void relay_fd_grow(struct relay_fd *end)
{
    if (!end->grown && (end->pipe_reader || end->pipe_writer) &&
        fcntl(end->fd, F_GETPIPE_SZ) < end->most)
        fcntl(end->fd, F_SETPIPE_SZ, end->most);
    end->grown = true;
}

short relay_fd_poll(const struct relay_fd *end, short events)
{
    struct pollfd pfd = { .fd = end->fd, .events = events };

    return poll(&pfd, 1, 0) > 0 ? pfd.revents : 0;
}

int relay_fd_waiting(const struct relay_fd *end)
{
    int bytes;

    return ioctl(end->fd, FIONREAD, &bytes) == 0 ? bytes : -1;
}

/* A terminal whose other end has gone says EIO for what is the end of a pipe. */
static ssize_t read_error(const struct relay_fd *end)
{
    if (errno == EIO && end->way != RELAY_FD_PLAIN)
        return 0;
    return -errno;
}

ssize_t relay_fd_read(struct relay_fd *end, void *bytes, size_t len)
{
    int fd = relay_fd_use(end);
    ssize_t n;

    do {
        if (end->way == RELAY_FD_SOCKET)
            n = recv(end->fd, bytes, len, MSG_DONTWAIT);
        else if (end->way == RELAY_FD_POLLED && !relay_fd_poll(end, POLLIN))
            return -EAGAIN;
        else
            n = read(fd, bytes, len);
    } while (n < 0 && errno == EINTR);
    return n >= 0 ? n : read_error(end);
}

ssize_t relay_fd_read_message(const struct relay_fd *end, void *bytes, size_t len)
{
    ssize_t n;

    do {
        n = recv(end->fd, bytes, len, MSG_DONTWAIT | MSG_TRUNC);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    return (size_t)n > len ? -EMSGSIZE : n;
}

/* What may be written at once when the descriptor itself could block. */
static ssize_t write_piece(const struct relay_fd *end, const struct iovec *iov)
{
    if (!relay_fd_poll(end, POLLOUT)) {
        errno = EAGAIN;
        return -1;
    }
    return write(end->fd, iov->iov_base, iov->iov_len < PIPE_BUF ? iov->iov_len : PIPE_BUF);
}

/* The kernel tells the receiver, if he wants to know, who sent the bytes. */
static ssize_t socket_send(int fd, struct msghdr *mh, const struct ucred *sender)
{
    union { char space[CMSG_SPACE(sizeof(*sender))]; struct cmsghdr align; } control;
    struct cmsghdr *cmsg = &control.align;

    memset(&control, 0, sizeof(control));
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_CREDENTIALS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(*sender));
    memcpy(CMSG_DATA(cmsg), sender, sizeof(*sender));
    mh->msg_control = control.space;
    mh->msg_controllen = sizeof(control.space);
    return sendmsg(fd, mh, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t socket_write(const struct relay_fd *end, struct msghdr *mh)
{
    struct ucred sender;
    ssize_t n;

    if (!end->sender)
        return sendmsg(end->fd, mh, MSG_DONTWAIT | MSG_NOSIGNAL);
    sender = *end->sender;
    n = socket_send(end->fd, mh, &sender);
    if (n >= 0 || (errno != ESRCH && errno != EPERM))
        return n;
    /* It has ended, and these are its last words; or root here may name no process but itself. */
    sender.pid = getpid();
    return socket_send(end->fd, mh, &sender);
}

ssize_t relay_fd_write(struct relay_fd *end, const struct iovec *iov, int count)
{
    struct msghdr mh = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)count };
    int fd = relay_fd_use(end);
    ssize_t n;

    do {
        if (end->way == RELAY_FD_SOCKET)
            n = socket_write(end, &mh);
        else if (end->way == RELAY_FD_POLLED)
            n = write_piece(end, iov);
        else
            n = writev(fd, iov, count);
    } while (n < 0 && errno == EINTR);
    return n >= 0 ? n : -errno;
}
