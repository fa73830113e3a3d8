/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who asks: credentials from the kernel (local socket), or the word of a slave about one of its
 * own clients, which is good for reading calls only.
 */
#ifndef MASTERD_CALLER_H
#define MASTERD_CALLER_H

#include <sys/types.h>

#include "common/conn.h"

struct node;

struct caller {
    pid_t pid;
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    unsigned ngroups;
    int node;               /* where the asker runs; -1 the master */
};

/* Fills *caller from a local socket. 0 or -errno; end it with caller_clear(). */
int caller_from_conn(struct conn *conn, struct caller *caller);
void caller_clear(struct caller *caller);

int caller_in_group(const struct caller *caller, gid_t gid);

/* 0, or -EPERM when the node's owner, group, mode or state do not let the caller use it. */
int caller_may_use(const struct caller *caller, const struct node *node);

/* 0, or -EPERM when the caller may not change this permission of the node to `value`. */
int caller_may_change(const struct caller *caller, const struct node *node, perm_what what,
                      unsigned value);

#endif
