/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "masterd/caller.h"
#include "masterd/nodetable.h"

static int groups_read(int fd, struct caller *caller)
{
    socklen_t len = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0 || errno != ERANGE)
        return 0;
    caller->groups = malloc(len);
    if (!caller->groups)
        return -ENOMEM;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, caller->groups, &len) < 0)
        return -errno;
    caller->ngroups = len / sizeof(gid_t);
    return 0;
}

int caller_from_conn(struct conn *conn, struct caller *caller)
{
    int error;

    memset(caller, 0, sizeof(*caller));
    caller->node = -1;
    error = conn_peer(conn, &caller->pid, &caller->uid, &caller->gid);
    if (!error)
        error = groups_read(conn_fd(conn), caller);
    if (error)
        caller_clear(caller);
    return error;
}

void caller_clear(struct caller *caller)
{
    free(caller->groups);
    caller->groups = NULL;
    caller->ngroups = 0;
}

int caller_in_group(const struct caller *caller, gid_t gid)
{
    if (caller->gid == gid)
        return 1;
    for (unsigned i = 0; i < caller->ngroups; i++)
        if (caller->groups[i] == gid)
            return 1;
    return 0;
}

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
