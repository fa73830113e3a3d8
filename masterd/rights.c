/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/rights.h"
#include "moves/task.h"

/* What setuid() and its like take for "as it is". */
#define NO_ID ((unsigned)-1)

struct rights {
    unsigned holders;
    uid_t uid;
    gid_t gid;
    unsigned ngroups;
    unsigned groups[];
};

struct rights *rights_new(uid_t uid, gid_t gid, const unsigned *groups, unsigned ngroups)
{
    struct rights *rights;

    if (uid == NO_ID || gid == NO_ID)
        return NULL;
    rights = malloc(sizeof(*rights) + ngroups * sizeof(*groups));
    if (!rights)
        return NULL;
    rights->holders = 1;
    rights->uid = uid;
    rights->gid = gid;
    rights->ngroups = ngroups;
    if (ngroups)
        memcpy(rights->groups, groups, ngroups * sizeof(*groups));
    return rights;
}

struct rights *rights_of_task(pid_t pid)
{
    static struct task task;

    if (task_read(pid, &task) < 0)
        return NULL;
    return rights_new(task.uids[0], task.gids[0], task.groups, task.ngroups);
}

struct rights *rights_hold(struct rights *rights)
{
    if (rights)
        rights->holders++;
    return rights;
}

void rights_release(struct rights *rights)
{
    if (rights && --rights->holders == 0)
        free(rights);
}

uid_t rights_uid(const struct rights *rights)
{
    return rights->uid;
}

static int has_group(const struct rights *rights, gid_t gid)
{
    for (unsigned i = 0; i < rights->ngroups; i++)
        if (rights->groups[i] == gid)
            return 1;
    return gid == rights->gid;
}

int rights_limit(const struct rights *rights, uid_t *uid, gid_t *gid)
{
    if (*uid == NO_ID || *gid == NO_ID)
        return -EINVAL;
    if (!rights || rights->uid == 0)
        return 0;
    *uid = rights->uid;
    if (!has_group(rights, *gid))
        *gid = rights->gid;
    return 0;
}

int rights_cover(const struct rights *rights, uid_t uid, gid_t gid, const unsigned *groups,
                 unsigned ngroups)
{
    if (uid == NO_ID || gid == NO_ID)
        return 0;
    if (rights->uid == 0)
        return 1;
    for (unsigned i = 0; i < ngroups; i++)
        if (!has_group(rights, groups[i]))
            return 0;
    return uid == rights->uid && has_group(rights, gid);
}
