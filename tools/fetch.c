/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bproc-fetch read PATH, bproc-fetch cache PATH NODE: see libbproc/fetch.h. Executed on the master
 * by a process on a node, through the library.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "common/fd.h"
#include "libbproc/fetch.h"

#define CHUNK 65536

static int head_put(int error, uint64_t size)
{
    struct fetch_head head;

    memset(&head, 0, sizeof(head));
    head.error = error;
    head.size = size;
    return fd_write_all(STDOUT_FILENO, &head, sizeof(head));
}

/* 0, or a positive errno. */
static int file_open(const char *path, int runs, int *fd, struct stat *st)
{
    if (runs && access(path, X_OK) < 0)
        return errno;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0 || fstat(*fd, st) < 0)
        return errno;
    if (!S_ISREG(st->st_mode))
        return EACCES;
    return runs && st->st_mode & (S_ISUID | S_ISGID) ? EPERM : 0;
}

static int content_put(int fd, uint64_t size)
{
    static char chunk[CHUNK];
    int error = head_put(0, size);

    while (!error && size > 0) {
        ssize_t n = read(fd, chunk, size < CHUNK ? (size_t)size : CHUNK);

        if (n <= 0)
            return -EIO;
        error = fd_write_all(STDOUT_FILENO, chunk, (size_t)n);
        size -= (uint64_t)n;
    }
    return error;
}

/* What is mapped goes to the node with us. 0, there, or a positive errno. */
static int file_bring(int fd, const struct stat *st, int node)
{
    if (st->st_size > 0 &&
        mmap(NULL, (size_t)st->st_size, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
        return errno;
    close(fd);
    return _bproc_move(node, BPROC_DUMP_ALL) < 0 ? errno : 0;
}

int main(int argc, char **argv)
{
    int fd = -1, error, runs = argc > 1 && strcmp(argv[1], FETCH_READ) == 0;
    struct stat st;

    if (argc < 4)
        return 2;
    error = file_open(argv[2], runs, &fd, &st);
    if (!error && runs)
        return content_put(fd, (uint64_t)st.st_size) < 0;
    if (!error)
        error = file_bring(fd, &st, atoi(argv[3]));
    return head_put(error, 0) < 0;
}
