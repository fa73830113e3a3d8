/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/guard.h"

#define SLOT_FREE (-1)

/*
 * The list only grows and its elements are used again, so that a forked child can walk it whatever
 * the other threads were doing at that moment, without a lock that one of them may hold.
 */
struct slot {
    atomic_int fd;
    struct slot *next;
};

static _Atomic(struct slot *) slots;

int client_claim(int fd)
{
    struct slot *slot;

    for (slot = atomic_load(&slots); slot; slot = slot->next) {
        int expected = SLOT_FREE;

        if (atomic_compare_exchange_strong(&slot->fd, &expected, fd))
            return 0;
    }
    slot = malloc(sizeof(*slot));
    if (!slot)
        return -ENOMEM;
    atomic_init(&slot->fd, fd);
    slot->next = atomic_load(&slots);
    while (!atomic_compare_exchange_weak(&slots, &slot->next, slot))
        ;
    return 0;
}

void client_release(int fd)
{
    for (struct slot *slot = atomic_load(&slots); slot; slot = slot->next) {
        int expected = fd;

        if (atomic_compare_exchange_strong(&slot->fd, &expected, SLOT_FREE))
            return;
    }
}

void client_forget_all_but(int fd)
{
    for (struct slot *slot = atomic_load(&slots); slot; slot = slot->next) {
        int open_fd = atomic_load(&slot->fd);

        if (open_fd == SLOT_FREE || open_fd == fd)
            continue;
        atomic_store(&slot->fd, SLOT_FREE);
        close(open_fd);
    }
}

static int address_fill(struct sockaddr_un *addr)
{
    const char *path = secure_getenv("BPROC_SOCKET");
    size_t len;

    if (!path || !*path)
        path = BPROC_SOCKET_PATH;
    len = strlen(path);
    if (len >= sizeof(addr->sun_path))
        return -ENAMETOOLONG;
    memset(addr, 0, sizeof(*addr));
    addr->sun_family = AF_UNIX;
    memcpy(addr->sun_path, path, len);
    return 0;
}

static int socket_connect(int fd)
{
    struct sockaddr_un addr;
    int error = address_fill(&addr);

    if (error)
        return error;
    while (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        if (errno != EINTR)
            return errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR ? -EBUSY : -errno;
    return 0;
}

int client_fd_raise(int fd)
{
    int raised;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    raised = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    return raised < 0 ? -EMFILE : raised;
}

static int socket_listed(void)
{
    int fd, error;

    guard_enter();
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fd = fd < 0 ? -errno : client_fd_raise(fd);
    error = fd < 0 ? fd : client_claim(fd);
    guard_leave();
    if (error && fd >= 0)
        close(fd);
    return error ? error : fd;
}

int client_open(void)
{
    int fd = socket_listed();
    int error = fd < 0 ? fd : socket_connect(fd);

    if (error < 0) {
        client_close(fd);
        return error;
    }
    return fd;
}

int client_pipe(int pair[2])
{
    int error = 0;

    guard_enter();
    if (pipe2(pair, O_CLOEXEC) < 0) {
        error = -errno;
        pair[0] = pair[1] = -1;
    } else {
        pair[0] = client_fd_raise(pair[0]);
        pair[1] = client_fd_raise(pair[1]);
        if (pair[0] < 0 || pair[1] < 0)
            error = -EMFILE;
        else if (client_claim(pair[0]) < 0 || client_claim(pair[1]) < 0)
            error = -ENOMEM;
    }
    guard_leave();
    return error;
}

void client_close(int fd)
{
    int saved = errno;

    if (fd < 0)
        return;
    /* In this order: once closed, the number may be another thread's at once. */
    client_release(fd);
    close(fd);
    errno = saved;
}

int client_error(int error)
{
    switch (error) {
    case -EPIPE:
    case -ECONNRESET:
    case -ENOTCONN:
    case -EPROTO:
    case -EMSGSIZE:
        return -EIO;
    default:
        return error;
    }
}

int client_call(bproc_proc proc, xdrproc_t encode, const void *arg, xdrproc_t decode, void *ret,
                size_t ret_size)
{
    int fd = client_open();
    int error;

    if (fd < 0)
        return fd;
    error = msg_call(fd, proc, encode, arg, NULL, 0, decode, ret, ret_size, NULL, 0);
    client_close(fd);
    return client_error(error);
}

int client_call_node(bproc_proc proc, xdrproc_t encode, const void *arg, xdrproc_t decode,
                     void *ret, size_t ret_size)
{
    int error = client_call(proc, encode, arg, decode, ret, ret_size);

    return error == -BE_INVALIDNODE || error == -BE_NODEDOWN ? -EINVAL : error;
}

int client_result(int error)
{
    if (error >= 0)
        return error;
    errno = -error;
    return -1;
}
