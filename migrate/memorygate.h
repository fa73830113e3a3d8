/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of a restored process at its gate before it has its memory. */
#ifndef BPROC_MEMORYGATE_H
#define BPROC_MEMORYGATE_H

#include <sys/types.h>

/* The way into its memory. */
struct memorygate {
    int fd;                             /* a userfaultfd; -1 */
    int whole;                          /* for what the kernel touches in its name, too */
    pid_t pid;                          /* its number here */
    int pidfd;                          /* the number is its own while this says so; -1 */
};

#define MEMORYGATE_NONE ((struct memorygate){ .fd = -1, .pidfd = -1 })

/*
 * Asks this user's process. 0, and the caller owns both descriptors; or -errno, also the process's
 * own. Blocks.
 */
int memorygate_ask(int gate, uid_t uid, struct memorygate *memory);

void memorygate_close(struct memorygate *memory);

#endif
