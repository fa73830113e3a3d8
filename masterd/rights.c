/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "masterd/rights.h"
#include "moves/task.h"

/* What setuid() and its like take for "as it is". */
#define NO_ID ((unsigned)-1)

/* Of what was sent, and all that comes from it. */
struct bounds {
    u_quad_t limits[RLIM_NLIMITS];
    unsigned login;
    restraint least;
    int kin[3];                         /* parent, group, session */
};

struct rights {
    unsigned holders;
    uid_t uid;
    gid_t gid;
    struct bounds bounds;
    unsigned ngroups;
    unsigned groups[];
};

static struct rights *rights_make(uid_t uid, gid_t gid, const unsigned *groups, unsigned ngroups)
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

struct rights *rights_new(uid_t uid, gid_t gid, const unsigned *groups, unsigned ngroups,
                          const restraint *least, pid_t like, pid_t parent)
{
    struct rights *rights = rights_make(uid, gid, groups, ngroups);

    if (!rights)
        return NULL;
    if (task_limits(like, rights->bounds.limits) < 0) {
        rights_release(rights);
        return NULL;
    }
    rights->bounds.login = task_login(like);
    rights->bounds.least = *least;
    rights->bounds.kin[0] = parent;
    rights->bounds.kin[1] = getpgid(like);
    rights->bounds.kin[2] = getsid(like);
    return rights;
}

struct rights *rights_new_from(const struct rights *from, uid_t uid, gid_t gid,
                               const unsigned *groups, unsigned ngroups)
{
    struct rights *rights = rights_make(uid, gid, groups, ngroups);

    if (!rights)
        return NULL;
    rights->bounds = from->bounds;
    return rights;
}

struct rights *rights_of_task(pid_t pid)
{
    static struct task task;
    restraint least;

    if (task_read(pid, &task) < 0)
        return NULL;
    least = task_restraint(pid, &task);
    return rights_new(task.uids[0], task.gids[0], task.groups, task.ngroups, &least, pid,
                      task.ppid);
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

int rights_has_kin(const struct rights *rights, int number)
{
    for (unsigned i = 0; i < 3; i++)
        if (rights->bounds.kin[i] == number)
            return 1;
    return 0;
}

process_bounds rights_bounds(struct rights *rights)
{
    return (process_bounds){ .limits = { RLIM_NLIMITS, rights->bounds.limits },
                               .login = rights->bounds.login,
                               .least = rights->bounds.least };
}

/* Of what we may have; further ones there need not be. */
static int capabilities_drop(unsigned long long kept)
{
    for (int i = 0; i < 64; i++)
        if (!(kept >> i & 1) && prctl(PR_CAPBSET_READ, i, 0, 0, 0) > 0 &&
            prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
            return -errno;
    return 0;
}

int rights_impose(const struct rights *rights)
{
    for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit limit;

        if (getrlimit((__rlimit_resource_t)i, &limit) < 0)
            continue;
        limit.rlim_max = rights->bounds.limits[i];
        if (limit.rlim_cur > limit.rlim_max)
            limit.rlim_cur = limit.rlim_max;
        setrlimit((__rlimit_resource_t)i, &limit);
    }
    if (rights->bounds.least.no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return capabilities_drop(rights->bounds.least.capabilities);
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
