/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a process is to have open where it goes, as the caller asked for it: by nothing, by a port,
 * or by a list of BProc 4's. The rest of the library knows this one form.
 *
 * Sockets become streams (streams.h), or connections of the process itself if it stays on its
 * node. Files are opened by the process itself, once it is there: for an exec by its exec_spec, for
 * a fork by io_files_open() in the child.
 */
#ifndef BPROC_IO_H
#define BPROC_IO_H

#include <stdint.h>

#include "proto/bproc.h"

#define IO_NAME_MAX 256                 /* of a file; what BProc 4's structure has room for */

struct io_item {
    int fd;                             /* the number in the process */
    int is_file;
    int delay;                          /* once the call has succeeded; a failure is not told */
    /* a socket */
    unsigned flags;                     /* STREAM_F_* */
    uint32_t addr;                      /* host byte order; 0: the machine the process leaves */
    uint16_t port;
    /* a file */
    int open_flags;
    unsigned mode;
    long offset;
    char name[IO_NAME_MAX];
};

struct io {
    int exact;                          /* the process is to have these and no others */
    unsigned count;
    struct io_item items[BPROC_MAX_IO];
};

/* `port` as for _bproc_rfork_io(), 0 for none; `flags`: BPROC_IO_*. 0, -EINVAL. */
int io_from_port(struct io *io, int port, int flags);

/* Whether the list has an item for descriptor `fd`. */
int io_has(const struct io *io, int fd);

/*
 * Moves `fd`, close-on-exec, above all numbers of the list, so that putting a descriptor there
 * cannot close it. Its number, or -errno with it closed; a negative one stays.
 */
int io_fd_raise(const struct io *io, int fd);

/*
 * Opens the files, those with `delay` or those without, relative to the working directory. 0, or
 * -errno of the first that cannot be; with `delay` always 0. May block, as open(2).
 */
int io_files_open(const struct io *io, int delay);

/*
 * For a process that stays on its node: opens what the list names, without a place yet, to
 * fds[BPROC_MAX_IO]; -1 where it is for later. 0, or -errno with nothing left open. May block.
 */
int io_open(const struct io *io, int *fds);

/*
 * Puts what io_open() opened in its places, in the process whose it is to be (its pid goes into
 * the headers), opens what was for later, and closes the rest of `fds`. Does not fail: what has no
 * place is closed.
 */
void io_place(const struct io *io, int *fds);

void io_close(int *fds);

/*
 * execve(2) with the list in place; all of it is undone if that fails. -errno. May block, as
 * open(2) and connect(2).
 */
int io_exec(const struct io *io, const char *cmd, char *const argv[], char *const envp[]);

#endif
