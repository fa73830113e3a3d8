/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls of BProc 4 that take a list of I/O. */
#define BPROC_API_VERSION 4
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "libbproc/api4_io.h"
#include "libbproc/client.h"
#include "libbproc/move.h"
#include "libbproc/rexec.h"
#include "libbproc/rfork.h"
#include "libbproc/vector.h"

#define BUILT_IN (-1)                   /* length of a list that is none */
#define FLAGS_MASK (BPROC_IO_SEND_INFO | BPROC_IO_DELAY)

_Static_assert(sizeof(((struct bproc_io_t *)0)->d.file.name) == IO_NAME_MAX, "one bound on names");

static int socket_take(struct io_item *item, const struct bproc_io_t *entry)
{
    struct sockaddr_in addr;

    memcpy(&addr, &entry->d.addr, sizeof(addr));
    if (addr.sin_family != AF_INET || addr.sin_port == 0)
        return -EINVAL;
    item->addr = ntohl(addr.sin_addr.s_addr);
    item->port = ntohs(addr.sin_port);
    item->flags = STREAM_F_IN | STREAM_F_OUT;
    if (entry->flags & BPROC_IO_SEND_INFO)
        item->flags |= STREAM_F_INFO;
    return 0;
}

static int file_take(struct io_item *item, const struct bproc_io_t *entry)
{
    const char *name = entry->d.file.name;

    if (name[0] == '\0' || !memchr(name, '\0', IO_NAME_MAX))
        return -EINVAL;
    item->is_file = 1;
    item->open_flags = entry->d.file.flags;
    item->mode = (unsigned)entry->d.file.mode;
    item->offset = entry->d.file.offset;
    memcpy(item->name, name, IO_NAME_MAX);
    return 0;
}

static int entry_take(struct io *io, const struct bproc_io_t *entry)
{
    struct io_item *item = &io->items[io->count];

    if (entry->fd < 0 || io_has(io, entry->fd) || entry->flags & ~FLAGS_MASK)
        return -EINVAL;
    memset(item, 0, sizeof(*item));
    item->fd = entry->fd;
    item->delay = (entry->flags & BPROC_IO_DELAY) != 0;
    io->count++;
    switch (entry->type) {
    case BPROC_IO_SOCKET:
        return socket_take(item, entry);
    case BPROC_IO_FILE:
        return file_take(item, entry);
    default:
        return -EINVAL;
    }
}

int io_from_list(struct io *io, const struct bproc_io_t *list, int len)
{
    int error = 0;

    io->count = 0;
    io->exact = len != BUILT_IN;
    if (len < BUILT_IN || len > BPROC_MAX_IO)
        return -EINVAL;
    if (len > 0 && !list)
        return -EFAULT;
    for (int i = 0; !error && i < len; i++)
        error = entry_take(io, &list[i]);
    return error;
}

static int fork_with(int node, const struct bproc_io_t *list, int len, int flags)
{
    struct io io;
    int error = io_from_list(&io, list, len);

    return client_result(error ? error : rfork_run(node, flags, &io));
}

int bproc_rfork_io(int node, struct bproc_io_t *io, int iolen)
{
    return fork_with(node, io, iolen, DEPART_NO_FLAGS);
}

int _bproc_rfork_io(int node, struct bproc_io_t *io, int iolen, int flags)
{
    int error = rfork_check(flags);

    return error ? client_result(error) : fork_with(node, io, iolen, flags);
}

static int move_with(int node, const struct bproc_io_t *list, int len, int flags)
{
    struct io io;
    int error = io_from_list(&io, list, len);

    return client_result(error ? error : move_run(node, flags, &io));
}

int bproc_move_io(int node, struct bproc_io_t *io, int iolen)
{
    return move_with(node, io, iolen, DEPART_NO_FLAGS);
}

int _bproc_move_io(int node, struct bproc_io_t *io, int iolen, int flags)
{
    int error = rfork_check(flags);

    return error ? client_result(error) : move_with(node, io, iolen, flags);
}

int bproc_rexec_io(int node, struct bproc_io_t *list, int iolen, const char *cmd,
                   char *const argv[], char *const envp[])
{
    struct io io;
    int error = io_from_list(&io, list, iolen);

    return client_result(error ? error : rexec_run(node, 0, &io, cmd, argv, envp));
}

int _bproc_execmove_io(int node, struct bproc_io_t *list, int iolen, int flags, const char *cmd,
                       char *const argv[], char *const envp[])
{
    struct io io;
    int error = rfork_check(flags);

    if (!error)
        error = io_from_list(&io, list, iolen);
    return client_result(error ? error : execmove_run(node, 0, &io, cmd, argv, envp));
}

int bproc_execmove_io(int node, struct bproc_io_t *io, int iolen, const char *cmd,
                      char *const argv[], char *const envp[])
{
    return _bproc_execmove_io(node, io, iolen, 0, cmd, argv, envp);
}

static int vector_fork_with(int nnodes, const int *nodes, int *pids, const struct bproc_io_t *list,
                            int len, int flags)
{
    struct io io;
    int error = io_from_list(&io, list, len);

    return client_result(error ? error : vrfork_run(nnodes, nodes, pids, flags, &io));
}

int bproc_vrfork_io(int nnodes, int *nodes, int *pids, struct bproc_io_t *io, int iolen)
{
    return vector_fork_with(nnodes, nodes, pids, io, iolen, DEPART_NO_FLAGS);
}

int _bproc_vrfork_io(int nnodes, int *nodes, int *pids, struct bproc_io_t *io, int iolen, int flags)
{
    int error = rfork_check(flags);

    return error ? client_result(error)
                 : vector_fork_with(nnodes, nodes, pids, io, iolen, flags);
}

int _bproc_vexecmove_io(int nnodes, int *nodes, int *pids, struct bproc_io_t *list, int iolen,
                        int flags, const char *cmd, char *const argv[], char *const envp[])
{
    struct io io;
    int error = rfork_check(flags);

    if (!error)
        error = io_from_list(&io, list, iolen);
    return client_result(error ? error : vexecmove_run(nnodes, nodes, pids, 0, &io, cmd, argv,
                                                       envp));
}

int bproc_vexecmove_io(int nnodes, int *nodes, int *pids, struct bproc_io_t *io, int iolen,
                       const char *cmd, char *const argv[], char *const envp[])
{
    return _bproc_vexecmove_io(nnodes, nodes, pids, io, iolen, 0, cmd, argv, envp);
}
