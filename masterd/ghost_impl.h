/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the ghosts share; nobody else includes this. ghost.c has their connections,
 * ghost_back.c those that come back after a restart of ours.
 */
#ifndef MASTERD_GHOST_IMPL_H
#define MASTERD_GHOST_IMPL_H

#include <sys/queue.h>

#include "common/ghostline.h"
#include "masterd/ghost.h"

struct ghost {
    LIST_ENTRY(ghost) entry;
    struct ghostline line;
    struct proc *proc;          /* NULL: waits for its node, or is done with */
    pid_t pid;
    int node;
    pid_t ppid;                 /* 0 unknown */
    int orphan;                 /* the parent is dead */
    signal_msg *pending;        /* signals from before the node came back */
    unsigned npending;
    struct event *on_deadline;
    struct event *on_trace;
    int traced;
};

/* Takes over `conn` and `pidfd`. NULL: no memory, and they stay the caller's. */
struct ghost *ghost_new(struct conn *conn, int pidfd, pid_t pid, pid_t ppid, int node);

/* There is its process: it hears what came for it meanwhile. */
void ghost_join(struct ghost *ghost, struct proc *proc);

#endif
