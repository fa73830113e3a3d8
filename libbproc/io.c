/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/descriptors.h"
#include "libbproc/io.h"

#define MAX_PORT 65535

static void socket_add(struct io *io, int fd, int port, unsigned flags)
{
    struct io_item *item = &io->items[io->count++];

    memset(item, 0, sizeof(*item));
    item->fd = fd;
    item->port = (uint16_t)port;
    item->flags = flags;
}

/* In the order the manual gives: stdout, stderr, stdin. */
int io_from_port(struct io *io, int port, int flags)
{
    unsigned info = flags & BPROC_IO_SEND_INFO ? STREAM_F_INFO : 0;

    io->count = 0;
    io->exact = 0;
    if (port < 0 || port > MAX_PORT)
        return -EINVAL;
    if (port == 0)
        return 0;
    socket_add(io, STDOUT_FILENO, port, STREAM_F_OUT | info);
    socket_add(io, STDERR_FILENO, port, STREAM_F_OUT | info);
    socket_add(io, STDIN_FILENO, port, STREAM_F_IN | info);
    return 0;
}

int io_has(const struct io *io, int fd)
{
    for (unsigned i = 0; i < io->count; i++)
        if (io->items[i].fd == fd)
            return 1;
    return 0;
}

static int file_open(const struct io_item *item)
{
    int fd = open(item->name, item->open_flags, item->mode);

    if (fd < 0)
        return -errno;
    if (item->offset != 0 && lseek(fd, item->offset, SEEK_SET) < 0) {
        int error = -errno;

        close(fd);
        return error;
    }
    return fd;
}

static int socket_open(const struct io_item *item)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(item->port),
                              .sin_addr.s_addr = htonl(item->addr ? item->addr
                                                                  : INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        int error = -errno;

        close(fd);
        return error;
    }
    return fd;
}

static int item_open(const struct io_item *item)
{
    return item->is_file ? file_open(item) : socket_open(item);
}

/* Takes `fd`. */
static int item_place(const struct io_item *item, int fd)
{
    int error = 0;

    if (fd == item->fd)
        return 0;
    if (dup3(fd, item->fd, item->is_file ? item->open_flags & O_CLOEXEC : 0) < 0)
        error = -errno;
    close(fd);
    return error;
}

static int item_open_in_place(const struct io_item *item)
{
    int fd = item_open(item);

    return fd < 0 ? fd : item_place(item, fd);
}

int io_files_open(const struct io *io, int delay)
{
    int error = 0;

    for (unsigned i = 0; !error && i < io->count; i++) {
        const struct io_item *item = &io->items[i];

        if (item->is_file && !item->delay == !delay)
            error = item_open_in_place(item);
        if (delay)
            error = 0;
    }
    return error;
}

int io_fd_raise(const struct io *io, int fd)
{
    int above = STDERR_FILENO, raised;

    for (unsigned i = 0; i < io->count; i++)
        if (io->items[i].fd > above && io->items[i].fd < INT_MAX)
            above = io->items[i].fd;
    if (fd < 0 || fd > above)
        return fd;
    raised = fcntl(fd, F_DUPFD_CLOEXEC, above + 1);
    if (raised < 0)
        raised = -errno;
    close(fd);
    return raised;
}

int io_open(const struct io *io, int *fds)
{
    int error = 0;

    for (unsigned i = 0; i < BPROC_MAX_IO; i++)
        fds[i] = -1;
    for (unsigned i = 0; !error && i < io->count; i++) {
        int fd = io->items[i].delay ? -1 : item_open(&io->items[i]);

        if (fd >= 0)
            fd = io_fd_raise(io, fd);
        if (fd < 0 && !io->items[i].delay)
            error = fd;
        else
            fds[i] = fd;
    }
    if (error)
        io_close(fds);
    return error;
}

static void info_send(const struct io_item *item)
{
    int info[2] = { getpid(), item->fd };

    if (item->flags & STREAM_F_INFO)
        send(item->fd, info, sizeof(info), MSG_NOSIGNAL);
}

void io_place(const struct io *io, int *fds)
{
    for (unsigned i = 0; i < io->count; i++) {
        const struct io_item *item = &io->items[i];
        int error = item->delay ? item_open_in_place(item) : item_place(item, fds[i]);

        fds[i] = -1;
        if (error)
            close(item->fd);
        else if (!item->is_file)
            info_send(item);
    }
}

void io_close(int *fds)
{
    for (unsigned i = 0; i < BPROC_MAX_IO; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

/* ---- an exec on the caller's own node ---- */

/* What the places held before, and which descriptors were to outlive an exec. */
struct undo {
    int saved[BPROC_MAX_IO];            /* -1: nothing */
    int cloexec[BPROC_MAX_IO];
    int *kept;
    size_t kept_count;
};

static int places_save(const struct io *io, struct undo *undo)
{
    for (unsigned i = 0; i < io->count; i++) {
        int fd = io->items[i].fd;

        undo->cloexec[i] = fcntl(fd, F_GETFD);
        if (undo->cloexec[i] < 0)
            continue;
        undo->saved[i] = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (undo->saved[i] < 0)
            return -errno;
        undo->saved[i] = io_fd_raise(io, undo->saved[i]);
        if (undo->saved[i] < 0)
            return undo->saved[i];
    }
    return 0;
}

/* Marks all that have no place, those among them that were not to go at an exec are noted. */
static int others_mark(const struct io *io, struct undo *undo)
{
    size_t count, kept = 0;
    int error = descriptors_list(&undo->kept, &count);

    for (size_t i = 0; i < count; i++) {
        int fd = undo->kept[i], flags = fcntl(fd, F_GETFD);

        if (io_has(io, fd) || flags < 0 || flags & FD_CLOEXEC)
            continue;
        fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
        undo->kept[kept++] = fd;
    }
    undo->kept_count = kept;
    return error;
}

static void places_restore(const struct io *io, const struct undo *undo)
{
    for (unsigned i = 0; i < io->count; i++) {
        int fd = io->items[i].fd;

        if (undo->saved[i] < 0)
            close(fd);
        else
            dup3(undo->saved[i], fd, undo->cloexec[i] & FD_CLOEXEC ? O_CLOEXEC : 0);
    }
}

static void undo_free(struct undo *undo)
{
    io_close(undo->saved);
    for (size_t i = 0; i < undo->kept_count; i++)
        fcntl(undo->kept[i], F_SETFD, 0);
    free(undo->kept);
}

int io_exec(const struct io *io, const char *cmd, char *const argv[], char *const envp[])
{
    struct undo undo = { .kept = NULL };
    struct io kept = *io;
    int fds[BPROC_MAX_IO];
    int error;

    for (unsigned i = 0; i < kept.count; i++)
        kept.items[i].open_flags &= ~O_CLOEXEC;
    error = io_open(&kept, fds);
    if (error)
        return error;
    memset(undo.saved, -1, sizeof(undo.saved));
    error = places_save(&kept, &undo);
    if (!error && kept.exact)
        error = others_mark(&kept, &undo);
    if (!error) {
        io_place(&kept, fds);
        execve(cmd, argv, envp);
        error = -errno;
        places_restore(&kept, &undo);
    }
    undo_free(&undo);
    io_close(fds);
    return error;
}
