/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/descriptors.h"
#include "libbproc/streams.h"

#define MEMORY_DEVICES 1            /* major number of /dev/null and its like, on all nodes */
#define CLOSED 7                    /* TCP_CLOSE, which no header has beside all of tcp_info */
#define NULL_DEVICE makedev(MEMORY_DEVICES, 3)

static int socket_option(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0 ? -1 : value;
}

/*
 * A TCP connection that has ended: it has no peer any more, but its end to be read, and CRIU cannot
 * dump it. Something of it was acknowledged once, or timed, if the other side began: that
 * tells it from one that was refused.
 */
static int has_ended(int fd)
{
    struct tcp_info info = { .tcpi_state = 0 };
    socklen_t len = sizeof(info);

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && len == sizeof(info) &&
           info.tcpi_state == CLOSED && (info.tcpi_bytes_acked > 0 || info.tcpi_rtt > 0);
}

/* Sockets without a peer (listening, unbound, netlink) hold nothing of anybody: they travel. */
static int socket_kind(int fd)
{
    int domain = socket_option(fd, SO_DOMAIN);
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);

    if (domain != AF_UNIX && domain != AF_INET && domain != AF_INET6)
        return 0;
    if (socket_option(fd, SO_ACCEPTCONN) == 1)
        return 0;
    if (getpeername(fd, (struct sockaddr *)&peer, &len) < 0)
        return has_ended(fd) ? STREAM_SOCKET : 0;
    switch (socket_option(fd, SO_TYPE)) {
    case SOCK_STREAM:
        return STREAM_SOCKET;
    case SOCK_SEQPACKET:
        return STREAM_SEQPACKET;
    case SOCK_DGRAM:
        return domain == AF_UNIX ? STREAM_DATAGRAM : 0;
    default:
        return 0;
    }
}

/* One that is open for both is for one only where all programs agree which: no stream is both. */
static int fifo_kind(int target, int mode)
{
    if (mode == O_RDWR && target > STDERR_FILENO)
        return -EOPNOTSUPP;
    return mode == O_RDONLY || (mode == O_RDWR && target == STDIN_FILENO) ? STREAM_PIPE_READ
                                                                          : STREAM_PIPE_WRITE;
}

/*
 * The kind of stream descriptor `fd` is, 0 if it is none, or -errno; the process knows it as
 * `target`, and it was opened with these flags.
 */
static int descriptor_kind(int fd, int target, const struct stat *st, int opened)
{
    int mode = opened & O_ACCMODE;

    if (S_ISFIFO(st->st_mode))
        return fifo_kind(target, mode);
    if (S_ISSOCK(st->st_mode))
        return socket_kind(fd);
    if (mode == O_RDONLY)
        return 0;
    if (S_ISCHR(st->st_mode) && major(st->st_rdev) != MEMORY_DEVICES && isatty(fd))
        return STREAM_OUTPUT;
    /* What the caller's output was sent to is on the caller's machine. */
    if (S_ISREG(st->st_mode) && (target == STDOUT_FILENO || target == STDERR_FILENO))
        return STREAM_OUTPUT;
    return 0;
}

static stream_desc *desc_new(struct streams *set, int kind, unsigned flags)
{
    stream_desc *desc;

    if (set->count == BPROC_MAX_STREAMS)
        return NULL;
    desc = &set->descs[set->count];
    memset(desc, 0, sizeof(*desc));
    desc->kind = (stream_kind)kind;
    desc->flags = flags;
    desc->targets.targets_val = set->targets[set->count++];
    return desc;
}

static int desc_add_target(stream_desc *desc, int fd)
{
    if (desc->targets.targets_len == BPROC_MAX_TARGETS)
        return -EMFILE;
    desc->targets.targets_val[desc->targets.targets_len++] = fd;
    return 0;
}

/* Descriptors of one pipe end, socket or terminal are one stream: their bytes keep their order. */
static stream_desc *desc_find(struct streams *set, int kind, ino_t inode)
{
    for (unsigned i = 0; i < set->count; i++)
        if (set->descs[i].kind == (stream_kind)kind && set->descs[i].orig_inode == inode)
            return &set->descs[i];
    return NULL;
}

static int descriptor_add(struct streams *set, int fd, int target)
{
    struct stat st;
    int eager = target == STDIN_FILENO;
    unsigned flags = eager ? STREAM_F_EAGER : 0;
    stream_desc *desc;
    int opened, kind, original;

    if (fstat(fd, &st) < 0)
        return 0;
    opened = fcntl(fd, F_GETFL);
    kind = descriptor_kind(fd, target, &st, opened);
    /* Input that was asked for: what is on this machine is read here. */
    if (eager && (kind == STREAM_OUTPUT || (kind == 0 && (S_ISREG(st.st_mode) || isatty(fd)))))
        kind = STREAM_PIPE_READ;
    if (kind <= 0)
        return kind;
    if (opened & O_NONBLOCK)
        flags |= STREAM_F_NONBLOCK;
    desc = desc_find(set, kind, st.st_ino);
    if (!desc) {
        desc = desc_new(set, kind, flags);
        original = !desc || set->lent ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (!desc || original < 0)
            return -EMFILE;
        desc->orig_inode = st.st_ino;
        set->originals[set->original_count++] = original;
    }
    return desc_add_target(desc, target);
}

static int connects_add(struct streams *set, const struct io *io)
{
    int error = 0;

    for (unsigned i = 0; !error && i < io->count; i++) {
        const struct io_item *item = &io->items[i];
        unsigned delay = item->delay ? STREAM_F_DELAY : 0;
        stream_desc *desc;

        if (item->is_file)
            continue;
        desc = desc_new(set, STREAM_CONNECT, item->flags | delay);
        if (!desc)
            return -EMFILE;
        desc->addr = item->addr;
        desc->port = item->port;
        error = desc_add_target(desc, item->fd);
    }
    return error;
}

static int descriptor_travels(int fd, int flags, const struct io *io, int exec)
{
    int standard = fd <= STDERR_FILENO;

    if (io->exact || io_has(io, fd))
        return 0;
    if (fd == STDIN_FILENO && !(flags & BPROC_IO_STDIN))
        return 0;
    return !exec || standard || !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* It has room for many more than most processes have, which nobody is to touch for these. */
static void set_empty(struct streams *set)
{
    set->count = set->original_count = 0;
    set->lent = 0;
}

int streams_collect(struct streams *set, int flags, const struct io *io, int exec, const int *skip)
{
    size_t count;
    int *list;
    int error;

    set_empty(set);
    error = descriptors_list(&list, &count);
    if (!error)
        error = connects_add(set, io);
    /* All were noted before the first is duplicated, so that the duplicates are not met. */
    for (size_t i = 0; !error && i < count; i++)
        if (!descriptors_have(skip, list[i]) && descriptor_travels(list[i], flags, io, exec))
            error = descriptor_add(set, list[i], list[i]);
    free(list);
    if (error)
        streams_free(set);
    return error;
}

int streams_take(struct streams *set, const int fds[3])
{
    int error = 0;

    set_empty(set);
    set->lent = 1;
    for (int target = STDIN_FILENO; !error && target <= STDERR_FILENO; target++)
        if (fds[target] >= 0)
            error = descriptor_add(set, fds[target], target);
    if (error)
        streams_free(set);
    return error;
}

/* What was open already may be beyond a limit that has become lower since. */
static int beyond_limit_put(int placeholder, int target, int flags)
{
    struct rlimit limit, wide;
    int error = 0;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -errno;
    wide = (struct rlimit){ (rlim_t)target + 1, limit.rlim_max };
    if (wide.rlim_max < wide.rlim_cur)
        wide.rlim_max = wide.rlim_cur;
    if (setrlimit(RLIMIT_NOFILE, &wide) < 0)
        return -EMFILE;
    if (dup3(placeholder, target, flags) < 0)
        error = -errno;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 && !error ? -errno : error;
}

static int placeholder_put(int placeholder, int target)
{
    int cloexec = fcntl(target, F_GETFD);
    int flags = cloexec > 0 && (cloexec & FD_CLOEXEC) ? O_CLOEXEC : 0;

    /* Where nothing was open the placeholder may have come by itself. */
    if (placeholder == target)
        return fcntl(target, F_SETFD, 0) < 0 ? -errno : 0;
    if (dup3(placeholder, target, flags) >= 0)
        return 0;
    return errno == EBADF ? beyond_limit_put(placeholder, target, flags) : -errno;
}

static int stream_replace(stream_desc *desc)
{
    int placeholder = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat st;
    int error = 0;

    if (placeholder < 0 || fstat(placeholder, &st) < 0)
        error = -errno;
    else
        desc->inode = st.st_ino;
    for (unsigned i = 0; !error && i < desc->targets.targets_len; i++)
        error = placeholder_put(placeholder, desc->targets.targets_val[i]);
    for (unsigned i = 0; placeholder >= 0 && i < desc->targets.targets_len; i++)
        if (desc->targets.targets_val[i] == placeholder)
            return error;
    if (placeholder >= 0)
        close(placeholder);
    return error;
}

static int null_put(int fd)
{
    int null = open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_RDWR);
    int error = 0;

    if (null < 0)
        return -errno;
    if (null == fd)
        return 0;
    if (dup2(null, fd) < 0)
        error = -errno;
    close(null);
    return error;
}

/* One that was opened outside of the caller's own mounts could not be found again. */
static int null_refresh(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != NULL_DEVICE)
        return 0;
    return null_put(fd);
}

static int standard_replace(void)
{
    int error = null_put(STDIN_FILENO);

    if (!error)
        error = null_refresh(STDOUT_FILENO);
    if (!error)
        error = null_refresh(STDERR_FILENO);
    return error;
}

int streams_replace(struct streams *set, const struct io *io, const int *skip)
{
    int error = io->exact ? descriptors_close(skip) : standard_replace();

    for (unsigned i = 0; !error && i < set->count; i++)
        error = stream_replace(&set->descs[i]);
    return error;
}

void streams_free(struct streams *set)
{
    for (unsigned i = 0; i < set->original_count && !set->lent; i++)
        close(set->originals[i]);
    set_empty(set);
}
