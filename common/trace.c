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
    UT_hash_handle hh;
};

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
        trace_tell(trace, 1);
    } else {
        trace_resume(pid, PTRACE_CONT, 0);
        trace_tell(trace, 0);
    }
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
    if (reaper_watch(pid, trace_changed, trace) < 0) {
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
