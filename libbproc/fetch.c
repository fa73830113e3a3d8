/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/descriptors.h"
#include "libbproc/fetch.h"
#include "libbproc/quietwork.h"
#include "libbproc/rexec.h"

#define FETCH_PATH PKGLIBEXECDIR "/bproc-fetch"
#define CHUNK 65536

struct fetch {
    const char *path;
    int node, fd;
};

/* 0, or -EIO when the stream ends before. */
static int bytes_take(int in, void *bytes, size_t len)
{
    char *at = bytes;

    while (len > 0) {
        ssize_t n = read(in, at, len);

        if (n == 0)
            return -EIO;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

static int content_take(int in, int out, uint64_t size)
{
    static char chunk[CHUNK];
    int error = 0;

    while (!error && size > 0) {
        size_t len = size < CHUNK ? (size_t)size : CHUNK;

        error = bytes_take(in, chunk, len);
        if (!error && write(out, chunk, len) != (ssize_t)len)
            error = -ENOSPC;
        size -= len;
    }
    return error;
}

__attribute__((noreturn))
static void fetcher_become(const struct fetch *fetch, int out)
{
    char node[16], *words[] = { (char *)(uintptr_t)"bproc-fetch",
                                (char *)(uintptr_t)(fetch->fd < 0 ? FETCH_CACHE : FETCH_READ),
                                (char *)(uintptr_t)fetch->path, node, NULL };
    const struct io io = { .count = 0 };
    struct fetch_head head = { 0, 0 };
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    snprintf(node, sizeof(node), "%d", fetch->node);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
        dup2(out, STDOUT_FILENO) < 0)
        head.error = errno;
    else
        head.error = -rexec_run(BPROC_NODE_MASTER, 0, &io, FETCH_PATH, words, words + 4);
    (void)!write(out, &head, sizeof(head));
    _exit(0);
}

static int work(const struct quietwork *was, void *arg)
{
    const struct fetch *fetch = arg;
    const int keep[] = { was->out, fetch->fd < 0 ? was->out : fetch->fd, -1 };
    int pair[2], error = descriptors_close(keep);
    struct fetch_head head;
    pid_t pid;

    if (!error)
        error = client_pipe(pair);
    if (error)
        return error;
    pid = fork();
    if (pid == 0)
        fetcher_become(fetch, pair[1]);
    error = pid < 0 ? -errno : 0;
    client_close(pair[1]);
    if (!error)
        error = bytes_take(pair[0], &head, sizeof(head));
    if (!error)
        error = -head.error;
    if (!error && fetch->fd >= 0)
        error = content_take(pair[0], fetch->fd, head.size);
    client_close(pair[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return error;
}

int fetch_file(const char *path, int node, int fd)
{
    struct fetch fetch = { path, node, fd };

    return client_error(quietwork_run(work, &fetch));
}
