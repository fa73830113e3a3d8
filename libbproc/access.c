/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/access.h"
#include "libbproc/client.h"

/* 1, 0, -ENOMEM. */
static int group_is_mine(gid_t gid)
{
    int count = getgroups(0, NULL), found = gid == getegid();
    gid_t *groups;

    if (found || count <= 0)
        return found;
    groups = malloc((size_t)count * sizeof(*groups));
    if (!groups)
        return -ENOMEM;
    count = getgroups(count, groups);
    for (int i = 0; i < count; i++)
        found |= groups[i] == gid;
    free(groups);
    return found;
}

int access_judge(int mode, int is_up, uint32_t uid, uint32_t gid, unsigned bits)
{
    unsigned bit = 0100;

    if (mode != 0 && mode != BPROC_X_OK)
        return -EINVAL;
    if (mode == 0 || geteuid() == 0)
        return 0;
    if (geteuid() != uid) {
        int mine = group_is_mine(gid);

        if (mine < 0)
            return mine;
        bit = mine ? 0010 : 0001;
    }
    return is_up && (bits & bit) ? 0 : -EPERM;
}

int _bproc_access(struct bproc_node_info_t *info, int mode)
{
    if (!info)
        return client_result(-EINVAL);
    return client_result(access_judge(mode, info->status == bproc_node_up, info->uid, info->gid,
                                      (unsigned)info->mode));
}
