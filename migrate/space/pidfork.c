/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/rawcall.h"
#include "migrate/space/pidfork.h"

pid_t pidfork_clone(struct clone_args *args, pid_t want, long (*call)(struct clone_args *args))
{
    sigset_t all, before;
    long pid;

    if (want > 0) {
        args->set_tid = (uint64_t)(uintptr_t)&want;
        args->set_tid_size = 1;
    }
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = call(args);
    if (pid == 0)
        return 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return (pid_t)pid;
}

static long clone_return(struct clone_args *args)
{
    return RAW2(SYS_clone3, args, sizeof(*args));
}

pid_t pidfork(pid_t want)
{
    struct clone_args args = { .exit_signal = SIGCHLD };

    return pidfork_clone(&args, want, clone_return);
}

pid_t pidfork_sibling(pid_t want)
{
    struct clone_args args = { .flags = CLONE_PARENT };

    return pidfork_clone(&args, want, clone_return);
}

/* ---- descriptors ---- */

/* Above all targets nothing can be overwritten by a dup2() onto one of them. */
static int above_all(const int *to, unsigned count)
{
    int above = STDERR_FILENO + 1;

    for (unsigned i = 0; i < count; i++)
        if (to[i] >= above)
            above = to[i] + 1;
    return above;
}

static int all_move(const int *from, unsigned count, int above, int *moved)
{
    for (unsigned i = 0; i < count; i++) {
        moved[i] = fcntl(from[i], F_DUPFD_CLOEXEC, above);
        if (moved[i] < 0)
            return -errno;
    }
    return 0;
}

static int all_place(const int *moved, const int *to, unsigned count)
{
    if (close_range(0, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
        return -errno;
    for (unsigned i = 0; i < count; i++)
        if (dup2(moved[i], to[i]) < 0)
            return -errno;
    return 0;
}

int pidfork_place(const int *from, const int *to, unsigned count)
{
    int moved[PIDFORK_PLACES];
    int error = count > PIDFORK_PLACES ? -EINVAL
                                       : all_move(from, count, above_all(to, count), moved);

    return error ? error : all_place(moved, to, count);
}
