/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of a restored process at its gate before it has its memory. */
#ifndef BPROC_MEMORYGATE_H
#define BPROC_MEMORYGATE_H

#include <sys/types.h>

/*
 * A userfaultfd of the memory of this user's process, with its number here in *pid; *whole: it
 * works for what the kernel touches in the process's name, too. -errno, also the process's own.
 * Blocks.
 */
int memorygate_ask(int gate, uid_t uid, pid_t *pid, int *whole);

/* Ends it and all that it has forked, if it has not ended itself. */
void memorygate_kill(pid_t pid, int pidfd);

#endif
