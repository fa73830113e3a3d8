/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "migrate/space/group.h"
#include "migrate/space/pidfork.h"
#include "proto/rawcall.h"

static pid_t holder_start(pid_t pgid)
{
    pid_t holder = pidfork(pgid);

    if (holder == 0)
        for (;;)
            pause();
    if (holder > 0)
        RAW2(SYS_setpgid, holder, holder);
    return holder > 0 ? holder : 0;
}

struct group group_prepare(pid_t pgid, pid_t pid, pid_t fallback)
{
    struct group group = { .pgid = pgid, .fallback = fallback };

    if (pgid == pid)
        group.pgid = 0;
    else if (pgid <= 1)
        group.pgid = fallback;
    else if (pgid != fallback && RAW2(SYS_kill, -pgid, 0) < 0)
        group.holder = holder_start(pgid);
    return group;
}

void group_join(const struct group *group, pid_t pid)
{
    if (RAW2(SYS_setpgid, pid, group->pgid) < 0)
        RAW2(SYS_setpgid, pid, group->fallback);
}

void group_release(struct group *group)
{
    if (group->holder == 0)
        return;
    RAW2(SYS_kill, group->holder, SIGKILL);
    RAW4(SYS_wait4, group->holder, NULL, 0, NULL);
    group->holder = 0;
}
