/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <uthash.h>

#include "common/log.h"
#include "common/reaper.h"
#include "common/trace.h"

#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP 128
#endif

struct trace {
    pid_t pid;
    trace_fn fn;                /* NULL: nobody listens any more */
    void *arg;
    struct event *on_stop;
    int stop_waits;             /* to be told of */
    UT_hash_handle hh;
};

static struct event_base *loop;
static struct trace *traces;
static struct log_limit trace_limit;

static struct trace *trace_find(pid_t pid)
{
    struct trace *trace;

    HASH_FIND_INT(traces, &pid, trace);
    return trace;
}

static void trace_free(struct trace *trace)
{
    HASH_DEL(traces, trace);
    if (trace->on_stop)
        event_free(trace->on_stop);
    free(trace);
}

static int is_stop_signal(int signo)
{
    return signo == SIGSTOP || signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU;
}

static void trace_tell(const struct trace *trace, int stopped)
{
    if (trace->fn)
        trace->fn(stopped, trace->arg);
}

static void stop_tell(struct trace *trace)
{
    if (!trace->stop_waits)
        return;
    trace->stop_waits = 0;
    trace_tell(trace, 1);
}

static void stop_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    stop_tell(arg);
}

/* In the loop's next turn: the kernel tells of it at once, the process's connection in its turn. */
static void stop_take(struct trace *trace)
{
    const struct timeval now = { 0, 0 };

    trace->stop_waits = 1;
    if (event_add(trace->on_stop, &now) < 0)
        stop_tell(trace);
}

static void trace_resume(pid_t pid, int request, int signo)
{
    /* ESRCH: killed meanwhile; its end is reported next. */
    if (ptrace((enum __ptrace_request)request, pid, NULL, (void *)(intptr_t)signo) < 0 &&
        errno != ESRCH)
        log_warn("cannot let ghost %d go on", (int)pid);
}

static void trace_changed(pid_t pid, int status, void *arg)
{
    struct trace *trace = arg;
    int signo;

    if (!WIFSTOPPED(status)) {
        trace_free(trace);
        return;
    }
    signo = WSTOPSIG(status);
    if (status >> 16 != PTRACE_EVENT_STOP) {
        trace_resume(pid, PTRACE_CONT, signo);
    } else if (is_stop_signal(signo)) {
        trace_resume(pid, PTRACE_LISTEN, 0);
        stop_take(trace);
    } else {
        trace_resume(pid, PTRACE_CONT, 0);
        stop_tell(trace);
        trace_tell(trace, 0);
    }
}

void trace_init(struct event_base *base)
{
    loop = base;
}

void trace_start(pid_t pid, trace_fn fn, void *arg)
{
    struct trace *trace = trace_find(pid);

    if (trace)
        trace_free(trace);
    trace = calloc(1, sizeof(*trace));
    if (!trace)
        return;
    trace->pid = pid;
    trace->fn = fn;
    trace->arg = arg;
    HASH_ADD_INT(traces, pid, trace);
    trace->on_stop = evtimer_new(loop, stop_due, trace);
    if (!trace->on_stop || reaper_watch(pid, trace_changed, trace) < 0) {
        trace_free(trace);
    } else if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0) {
        log_limited(&trace_limit, 1, "cannot trace ghost %d, SIGSTOP will not reach its process:"
                    " %s", (int)pid, strerror(errno));
        reaper_forget(pid);
        trace_free(trace);
    }
}

void trace_forget(pid_t pid)
{
    struct trace *trace = trace_find(pid);

    if (trace)
        trace->fn = NULL;
}
