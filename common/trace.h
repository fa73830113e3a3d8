/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ghosts are traced for one thing: SIGSTOP stops a process without a word to it, and only its
 * tracer hears. Nothing else is changed: every other signal is passed on as it is, a stop stays a
 * stop (PTRACE_LISTEN) that the ghost's own parent sees.
 */
#ifndef BPROC_TRACE_H
#define BPROC_TRACE_H

#include <sys/types.h>
#include <event2/event.h>

/*
 * The process stopped (1) or goes on (0). Of a stop it is told after what the process has sent
 * before it, a SIGCONT above all, has come in over the loop.
 */
typedef void (*trace_fn)(int stopped, void *arg);

/* Once, beside reaper_start(). */
void trace_init(struct event_base *base);

/* Failing to trace is logged once: stopping by SIGSTOP then does not reach the node. */
void trace_start(pid_t pid, trace_fn fn, void *arg);

/* No more calls for it. It stays traced until it ends. */
void trace_forget(pid_t pid);

#endif
