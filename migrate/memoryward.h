/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sees to it that a process never goes on with zeros for pages that it lacks, even if we are
 * killed: when the last descriptor of a userfaultfd is closed, the kernel gives zeros for whatever
 * is missing. So there is a second process that has all of ours open, those of children that the
 * process forks included, as both have one table of descriptors. Who kills both before either can
 * start another one, within milliseconds, is not survived by that.
 *
 * Life: memoryward_start() before the process runs. While we live the ward waits. When we have died
 * it kills the process with its descendants, lets go of everything else, and answers whoever still
 * asks for a page by SIGBUS, until none of these memories is there any more. What we have closed
 * before, as it is whole, is no concern of its. memoryward_end() when nothing is lacking.
 */
#ifndef BPROC_MEMORYWARD_H
#define BPROC_MEMORYWARD_H

#include <sys/types.h>

struct memoryward {
    int number;                         /* of the process, where it runs */
    pid_t process;                      /* that is to die with us, as it is numbered here */
    int process_fd;                     /* its pidfd, borrowed */
    pid_t pid;
    int self;                           /* our pidfd */
    int fd;                             /* readable when the ward has ended: start another one */
};

#define MEMORYWARD_NONE ((struct memoryward){ .self = -1, .fd = -1 })

/* 0 or -errno. Ends an earlier one that has died. */
int memoryward_start(struct memoryward *ward);

/* Blocks until it has gone. One that was not started is allowed. */
void memoryward_end(struct memoryward *ward);

#endif
