/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bproc_execve() and bproc_requestfile(): files of the master's for processes on nodes.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/fetch.h"
#include "libbproc/node.h"

/* A script's interpreter opens it by the descriptor's name, so that one stays open. */
static int program_exec(int fd, char *const argv[], char *const envp[])
{
    char begin[2] = "";

    if (pread(fd, begin, sizeof(begin), 0) == sizeof(begin) && memcmp(begin, "#!", 2) == 0)
        fcntl(fd, F_SETFD, 0);
    fexecve(fd, argv, envp);
    return -errno;
}

/* The same file for reading: one that somebody may write is not executed. */
static int fd_reopen(int fd)
{
    char path[40];
    int again;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    again = open(path, O_RDONLY | O_CLOEXEC);
    if (again < 0)
        again = -errno;
    close(fd);
    return client_fd_raise(again);
}

static int remote_execve(const char *cmd, char *const argv[], char *const envp[])
{
    int error, fd;

    if (!cmd || !argv)
        return -EFAULT;
    /* Not in memory: what is mapped from there could not go on to another node. */
    fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0700);
    if (fd < 0)
        return -errno;
    fd = client_fd_raise(fd);
    if (fd < 0)
        return fd;
    error = fetch_file(cmd, 0, fd);
    if (!error) {
        fd = fd_reopen(fd);
        error = fd < 0 ? fd : 0;
    }
    if (!error)
        error = program_exec(fd, argv, envp);
    if (fd >= 0)
        close(fd);
    return error;
}

int bproc_execve(const char *cmd, char *const argv[], char *const envp[])
{
    int node, error = node_self(&node);

    /* Without BProc this machine is the only one there is. */
    if (error && error != -EBUSY)
        return client_result(error);
    if (!error && node != BPROC_NODE_MASTER)
        return client_result(remote_execve(cmd, argv, envp));
    return execve(cmd, argv, envp);
}

/* On the master there is nothing to be brought. */
static int file_try(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

int bproc_requestfile(const char *path)
{
    int node, error = path ? node_self(&node) : -EFAULT;

    if (error)
        return client_result(error);
    return client_result(node == BPROC_NODE_MASTER ? file_try(path) : fetch_file(path, node, -1));
}
