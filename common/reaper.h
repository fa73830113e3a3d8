/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is told when a child of ours, or a process that we trace, ends or stops. One SIGCHLD handler
 * on the loop waits for whatever there is and calls the function registered for the pid; processes
 * nobody registered are reaped in silence.
 */
#ifndef BPROC_REAPER_H
#define BPROC_REAPER_H

#include <sys/types.h>
#include <event2/event.h>

typedef void (*reaper_fn)(pid_t pid, int status, void *arg);

/* Once. 0 or -errno. */
int reaper_start(struct event_base *base);
void reaper_stop(void);

/* `status` as wait(2) gives it; the entry goes by itself after an exit. 0 or -ENOMEM. */
int reaper_watch(pid_t pid, reaper_fn fn, void *arg);

/* The process will be reaped in silence. */
void reaper_forget(pid_t pid);

#endif
