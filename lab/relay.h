/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Signals down, status up: what a process does that stands for another one. relay_block() before
 * the fork, so that no signal is lost; relay_wait() after it; relay_end_as() at the end.
 */

#ifndef BPROC_LAB_RELAY_H
#define BPROC_LAB_RELAY_H

#include <signal.h>
#include <sys/types.h>

/* The signals that are passed on, and SIGCHLD. */
void relay_set(sigset_t *set);

/* Blocks those signals; the mask from before goes to *BEFORE. */
void relay_block(sigset_t *before);

/* Takes news of CHILD. 1 and its wait status in *STATUS when it has ended, else 0. A stop of the
 * child stops the calling process too. Does not block otherwise. */
int relay_reap(pid_t child, int *status);

/* Passes signals on to TARGET (a pid, or -pid for its group) until CHILD ends; its wait status. */
int relay_wait(pid_t child, pid_t target);

/* Ends this process as STATUS says, by the same signal if need be, without a core file. */
_Noreturn void relay_end_as(int status);

#endif
