/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libbproc/holder.h"

/* At the foot of its stack. */
struct foot {
    unsigned busy;                      /* it has not come to rest yet; a futex */
    pid_t parent;
};

static void rest_tell(struct foot *foot)
{
    __atomic_store_n(&foot->busy, 0, __ATOMIC_RELEASE);
    syscall(SYS_futex, &foot->busy, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int holder_run(void *arg)
{
    struct foot *foot = arg;

    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    /* It may have been killed before that was said. */
    if (syscall(SYS_getppid) != foot->parent)
        return 1;
    syscall(SYS_prctl, PR_SET_NAME, "bproc-pages", 0, 0, 0);
    syscall(SYS_close_range, 0U, ~0U, 0U);
    rest_tell(foot);
    for (;;)
        syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
    return 0;
}

/*
 * Whoever reads its memory stops it first. It must not be stopped before it has closed what it has
 * of its parent's: the ends of pipes would last as long as the memory takes.
 */
static void rest_await(struct foot *foot)
{
    while (__atomic_load_n(&foot->busy, __ATOMIC_ACQUIRE))
        syscall(SYS_futex, &foot->busy, FUTEX_WAIT, 1, NULL, NULL, 0);
}

/* Should it end before it rests, the kernel says so in its place. */
long holder_make(char *stack, size_t size)
{
    struct foot *foot = (void *)stack;
    int pid;

    *foot = (struct foot){ .busy = 1, .parent = (pid_t)syscall(SYS_getpid) };
    pid = clone(holder_run, stack + size, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, foot, NULL,
                NULL, &foot->busy);
    if (pid > 0)
        rest_await(foot);
    return pid;
}
