/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fork(2) whose child is nobody's business until it counts: its exit signal is 0, so that no
 * SIGCHLD comes, plain waitpid(2) does not see it and no zombie is found, whatever happens to it.
 * exec resets the exit signal to SIGCHLD; from then on it is an ordinary child.
 */
#ifndef BPROC_QUIETFORK_H
#define BPROC_QUIETFORK_H

#include <sys/types.h>

/*
 * As fork(2), libc's own work included (atfork handlers, malloc, stdio, threads). Both sides
 * return with the signal mask they had. -1 with fork's errno, or ENOSYS where the kernel cannot
 * dispatch system calls to user space (before Linux 5.11, other machines than x86-64).
 */
pid_t quietfork(void);

/*
 * Ends a quiet child that must not have been: kills it and waits, 0. 1 if it had executed a program
 * before that: then it is left to be waited for, as an ordinary child that was killed. Keeps errno.
 */
int quietfork_undo(pid_t pid);

/*
 * Waits until a quiet child has ended by itself, 0, or executed a program, 1; undoes it if neither
 * happens in some seconds. Keeps errno.
 */
int quietfork_settle(pid_t pid);

#endif
