/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "migrate/owner.h"

int owner_ask(void (*child)(int result, const void *arg), int (*hear)(int result, const void *arg),
              const void *arg)
{
    int ends[2], error;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    pid = fork();
    if (pid == 0) {
        child(ends[1], arg);
        _exit(0);
    }
    error = pid < 0 ? -errno : 0;
    close(ends[1]);
    if (!error)
        error = hear(ends[0], arg);
    close(ends[0]);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return error;
}

int owner_begin(const char *root)
{
    signal(SIGALRM, SIG_DFL);
    alarm(OWNER_SECONDS);
    return chdir(root) < 0 ? -errno : 0;
}

int owner_become(const struct image_owner *owner)
{
    if (chroot(".") < 0 || setgroups(owner->ngroups, owner->groups) < 0 ||
        setresgid(owner->gid, owner->gid, owner->gid) < 0 ||
        setresuid(owner->uid, owner->uid, owner->uid) < 0)
        return -errno;
    return 0;
}
