/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process group of a process that arrives. Its leader may live on another machine; if no keeper
 * has made the group here under the leader's number, a short-lived holder does, and the group stays
 * for as long as it has members.
 *
 * group_prepare() before the fork; the child calls group_join() before its exec, the parent after
 * the fork (whoever comes first; the other call does nothing); then group_release(). All leave
 * errno alone, as they run in memory that others share (room.h).
 */
#ifndef BPROC_SPACE_GROUP_H
#define BPROC_SPACE_GROUP_H

#include <sys/types.h>

struct group {
    pid_t pgid;         /* to join; 0: one of its own */
    pid_t fallback;     /* when that one cannot be joined; 0: one of its own */
    pid_t holder;       /* 0: none was needed */
};

/* `fallback`: the group to join when `pgid` cannot be had here. Never fails. */
struct group group_prepare(pid_t pgid, pid_t pid, pid_t fallback);

/* `pid` 0: the caller. */
void group_join(const struct group *group, pid_t pid);

/* Ends the holder. Blocks until it has gone. */
void group_release(struct group *group);

#endif
