/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "migrate/space/group.h"
#include "migrate/space/pidfork.h"

static pid_t holder_start(pid_t pgid)
{
    pid_t holder = pidfork(pgid);

    if (holder == 0)
        for (;;)
            pause();
    if (holder > 0)
        setpgid(holder, holder);
    return holder > 0 ? holder : 0;
}

struct group group_prepare(pid_t pgid, pid_t pid, pid_t fallback)
{
    struct group group = { .pgid = pgid, .fallback = fallback };

    if (pgid == pid)
        group.pgid = 0;
    else if (pgid <= 1)
        group.pgid = fallback;
    else if (pgid != fallback && kill(-pgid, 0) < 0)
        group.holder = holder_start(pgid);
    return group;
}

void group_join(const struct group *group, pid_t pid)
{
    if (setpgid(pid, group->pgid) < 0)
        setpgid(pid, group->fallback);
}

void group_release(struct group *group)
{
    if (group->holder == 0)
        return;
    kill(group->holder, SIGKILL);
    waitpid(group->holder, NULL, 0);
    group->holder = 0;
}
