/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <unistd.h>

#include "migrate/owner.h"

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
