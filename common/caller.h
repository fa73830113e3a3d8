/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who asks: credentials from the kernel (local socket), or the word of a slave about one of its own
 * clients.
 */
#ifndef BPROC_CALLER_H
#define BPROC_CALLER_H

#include <sys/types.h>

#include "common/conn.h"

struct caller {
    pid_t pid;
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    unsigned ngroups;
    int node;               /* where the asker runs; -1 the master */
};

/* Fills *caller from a local socket, node -1. 0 or -errno; end it with caller_clear(). */
int caller_from_conn(struct conn *conn, struct caller *caller);
void caller_clear(struct caller *caller);

int caller_in_group(const struct caller *caller, gid_t gid);

#endif
