/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sees to it that a process never goes on with zeros for pages that it lacks, even if we are
 * killed: when the last descriptor of a userfaultfd is closed, the kernel gives zeros for whatever
 * is missing. So slaved has them as well (slaved/lacking.h), and there is a second process with our
 * table of descriptors, which has at once what the kernel makes for a child that the process forks.
 *
 * Life: memoryward_start() before the process runs; memoryward_forked() with each such descriptor.
 * When we have died the ward gives slaved what it has not been given yet and ends, and slaved sees
 * that nobody is left. memoryward_end() when nothing is lacking. All but the last are blocking for
 * as long as it takes slaved to read.
 */
#ifndef BPROC_MEMORYWARD_H
#define BPROC_MEMORYWARD_H

#include <sys/types.h>

#include "proto/bproc.h"

struct memoryward {
    int sock;                           /* to slaved, for this process */
    pid_t pid;
    int self;                           /* our pidfd */
    int fd;                             /* readable when the ward has ended: start another one */
};

#define MEMORYWARD_NONE ((struct memoryward){ .sock = -1, .self = -1, .fd = -1 })

/*
 * `server`: to slaved. `process`, its pidfd, and `memory`, its userfaultfd, are borrowed. 0: it may
 * run; or -errno.
 */
int memoryward_start(struct memoryward *ward, int server, const lack_arg *who, int process,
                     int memory);

/* Another one in place of one that has ended. 0 or -errno. */
int memoryward_again(struct memoryward *ward);

/* Borrows the userfaultfd of what the process has forked. 0 or -errno. */
int memoryward_forked(const struct memoryward *ward, int memory);

/* Before the last of its memories is closed. One that was not started is allowed. */
void memoryward_end(struct memoryward *ward);

#endif
