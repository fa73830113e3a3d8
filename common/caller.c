/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/caller.h"

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
