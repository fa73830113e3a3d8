/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <unistd.h>

#include "masterd/ghostfork.h"
#include "masterd/master.h"
#include "masterd/rights.h"
#include "migrate/ghostargs.h"
#include "migrate/space/pidfork.h"

static void user_become(const born_msg *born)
{
    if (setgroups(0, NULL) < 0 || setresgid(born->gid, born->gid, born->gid) < 0 ||
        setresuid(born->uid, born->uid, born->uid) < 0)
        _exit(1);
}

__attribute__((noreturn))
static void ghost_become(const born_msg *born, int node, const struct rights *rights)
{
    ghost_fork_arg birth = { .node = node,
                             .args = { born->args.args_len, born->args.args_val } };

    setsid();
    if (rights_impose(rights) < 0)
        _exit(1);
    user_become(born);
    ghostargs_exec(&birth, master.conf->socket);
}

int ghostfork_orphan(const born_msg *born, int node, const struct rights *rights)
{
    sigset_t all, before;
    pid_t pid;
    int error;

    /* No handler of the loop may run in the child. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    error = pid < 0 ? -errno : 0;
    if (pid == 0) {
        pid = pidfork(born->id.pid);
        if (pid == 0)
            ghost_become(born, node, rights);
        _exit(0);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return error;
}
