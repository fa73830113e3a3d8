/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>

#include "masterd/caller.h"
#include "masterd/nodetable.h"

int caller_may_use(const struct caller *caller, const struct node *node)
{
    unsigned bit = caller->uid == node->uid             ? 0100
                   : caller_in_group(caller, node->gid) ? 0010
                                                        : 0001;

    if (caller->uid == 0)
        return 0;
    /* Every other state is for those who put the node right. */
    if (node->state != NODE_UP)
        return -EPERM;
    return node->mode & bit ? 0 : -EPERM;
}

int caller_may_change(const struct caller *caller, const struct node *node, perm_what what,
                      unsigned value)
{
    if (caller->uid == 0)
        return 0;
    if (caller->uid != node->uid)
        return -EPERM;
    if (what == PERM_MODE)
        return 0;
    return what == PERM_GROUP && caller_in_group(caller, value) ? 0 : -EPERM;
}
