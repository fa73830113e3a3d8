/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "migrate/space/pidfork.h"

static pid_t pid_clone(pid_t want, uint64_t flags)
{
    struct clone_args args;
    sigset_t all, before;
    pid_t pid;

    memset(&args, 0, sizeof(args));
    args.flags = flags;
    args.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD;
    if (want > 0) {
        args.set_tid = (uint64_t)(uintptr_t)&want;
        args.set_tid_size = 1;
    }
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    if (pid == 0)
        return 0;
    if (pid < 0)
        pid = -errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}

pid_t pidfork(pid_t want)
{
    return pid_clone(want, 0);
}

pid_t pidfork_sibling(pid_t want)
{
    return pid_clone(want, CLONE_PARENT);
}

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

int pidfork_place(const int *from, const int *to, unsigned count, int *keep, unsigned keep_count)
{
    int *moved = calloc(count + 1, sizeof(*moved));
    int above = above_all(to, count);
    int error = moved ? all_move(from, count, above, moved) : -ENOMEM;

    for (unsigned i = 0; !error && i < keep_count; i++)
        if (keep[i] >= 0 && (keep[i] = fcntl(keep[i], F_DUPFD_CLOEXEC, above)) < 0)
            error = -errno;
    if (!error)
        error = all_place(moved, to, count);
    free(moved);
    return error;
}
