/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the pages of a process that is being filled belong: in its memory, and in that of the
 * children it forks meanwhile, wherever these have moved them to. Pages go by the addresses that
 * they had when it was dumped.
 *
 * Life: memoryspace_new() with a userfaultfd of the process; pages are put in; if the process runs
 * meanwhile, memoryspace_poll() says what to wait for and memoryspace_events() takes what has
 * happened; memoryspace_free(), after which all that did not come is zeros. Nothing here waits.
 */
#ifndef BPROC_MEMORYSPACE_H
#define BPROC_MEMORYSPACE_H

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>

#include "proto/bproc.h"

struct memoryspace;

/*
 * Takes `fd`, on failure too. `running`: the process, if it is to use its memory meanwhile, or 0.
 * NULL and errno.
 */
struct memoryspace *memoryspace_new(int fd, const page_region *regions, unsigned count,
                                    pid_t running);

/* It may: the kernel has what that takes. */
int memoryspace_is_running(const struct memoryspace *space);

/*
 * Pages from that address on, `bytes` NULL: what is not there of these has never been written;
 * outside of the regions they count for nothing. 0; -EAGAIN: first memoryspace_events(), then
 * again; -EEXIST: they are there already, and the process does not run.
 */
int memoryspace_put(struct memoryspace *space, uint64_t start, const uint8_t *bytes, size_t size);

/* A page that somebody waits for; a child's userfaultfd, borrowed, before the child runs on. */
struct memoryspace_calls {
    int (*want)(void *arg, uint64_t start);
    int (*forked)(void *arg, int fd);
};

/* Takes what has happened. 0 or what one of these returns, or -errno. */
int memoryspace_events(struct memoryspace *space, const struct memoryspace_calls *calls, void *arg);

/* Fills list[max]; how many there are. 0: nobody is left to fill. */
unsigned memoryspace_poll(const struct memoryspace *space, struct pollfd *list, unsigned max);

/* NULL is allowed. */
void memoryspace_free(struct memoryspace *space);

#endif
