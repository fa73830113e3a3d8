/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CRIU, driven through its RPC: a `criu swrk` worker (criuworker.h) reads one request from the
 * socket that is its descriptor CRIU_FD_RPC, works, answers, ends. It finds further descriptors at
 * fixed numbers, so that a request can name them. All calls here block: they belong into a process
 * of their own for each transfer, never into a daemon's loop.
 */
#ifndef BPROC_CRIU_H
#define BPROC_CRIU_H

#include <stddef.h>
#include <sys/types.h>

#define CRIU_FD_RPC 3       /* in the worker: the socket */
#define CRIU_FD_DIR 4       /* in the worker: the directory of the image */
#define CRIU_FD_FIRST 5     /* in the worker: the first descriptor to inherit */

struct criu_dump {
    pid_t pid;                      /* as CRIU sees it */
    const unsigned long *external;  /* inodes of the unix sockets that lead outside */
    unsigned external_count;
};

/*
 * Dumps a process into the worker's directory (`dir_fd` here, for the log) and lets it run on. The
 * first asks and returns at once, the second waits: 0, or -errno with CRIU's own words in
 * text[len].
 */
int criu_dump_start(int sock, const struct criu_dump *dump);
int criu_dump_finish(int sock, int dir_fd, char *text, size_t len);

struct criu_inherit {
    char key[4200];                 /* socket:[INODE], or a path without its first slash */
    int fd;                         /* its number in the worker */
};

/*
 * Restores the image in the worker's directory (CRIU_FD_DIR there, `dir_fd` here for the log) as a
 * child of the worker's parent. The first asks and returns at once, 0 or -errno; the second waits:
 * 0 with the pid (in the worker's pid namespace) in *pid, or -errno with CRIU's words.
 */
int criu_restore_start(int sock, const struct criu_inherit *inherit, unsigned count);
int criu_restore_finish(int sock, int dir_fd, pid_t *pid, char *text, size_t len);

/*
 * A nameless file system in memory for an image, at most `bytes` long (0: half the memory). It
 * needs no name, no disk and no clearing up: it goes with the last descriptor. -errno.
 */
int criu_image_dir(unsigned long long bytes);

/*
 * Lets go of one, -1 then, and does not wait for its end as close() does: the kernel takes down a
 * file system only when each processor has had its turn, which can be milliseconds.
 */
void criu_image_drop(int *dir);

#endif
