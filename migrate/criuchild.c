/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "migrate/criuchild.h"

static pid_t worker;            /* 0 in what is none yet */
static bool forks;              /* the fork() that is under way is the worker's */

/* In the child. Where that is in a pid namespace of its own, its parent has no number there. */
static void parent_follow(void)
{
    pid_t parent;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    parent = getppid();
    if (parent != worker && parent != 0)
        _exit(1);
}

static void fork_prepare(void)
{
    forks = getpid() == worker;
}

static void fork_child(void)
{
    if (forks)
        parent_follow();
}

/* One at a time: whoever shares the worker's memory has read it before the worker goes on. */
static struct {
    int (*run)(void *);
    void *arg;
} started;

static int started_run(void *arg)
{
    (void)arg;
    parent_follow();
    return started.run(started.arg);
}

/* libc's own name for clone(). */
extern int __clone(int (*run)(void *), void *stack, int flags, void *arg, ...);

/* In place of libc's. The last three are there only if the flags say so, and else of no account. */
__attribute__((visibility("default")))
int worker_clone(int (*run)(void *), void *stack, int flags, void *arg, ...) __asm__("clone");

int worker_clone(int (*run)(void *), void *stack, int flags, void *arg, ...)
{
    void *parent_tid, *tls, *child_tid;
    va_list ap;

    va_start(ap, arg);
    parent_tid = va_arg(ap, void *);
    tls = va_arg(ap, void *);
    child_tid = va_arg(ap, void *);
    va_end(ap);
    if (!(flags & CLONE_PARENT) && getpid() == worker) {
        started.run = run;
        started.arg = arg;
        run = started_run;
    }
    return __clone(run, stack, flags, arg, parent_tid, tls, child_tid);
}

void criuchild_bind(void)
{
    worker = getpid();
    pthread_atfork(fork_prepare, NULL, fork_child);
}
