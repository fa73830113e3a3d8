/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process of this machine as the kernel describes it in /proc/PID/status. */
#ifndef MOVES_TASK_H
#define MOVES_TASK_H

#include <sys/resource.h>
#include <sys/types.h>

#include "proto/frame.h"

struct task {
    pid_t ppid;
    unsigned depth;             /* pid namespaces that it is in, from the reader's on */
    pid_t number, pgid, sid;    /* in the innermost of them */
    uid_t uids[4];              /* real, effective, saved, file system */
    gid_t gids[4];
    unsigned groups[BPROC_MAX_GROUPS];
    unsigned ngroups;
    unsigned long long capabilities;    /* permitted */
    unsigned long long bounding;        /* those it may get */
    int no_new_privs;
};

/* 0; -ESRCH no such process; -E2BIG more groups than can travel; -EPROTO. */
int task_read(pid_t pid, struct task *task);

/*
 * Whether all its user ids are `uid`, all its group ids the same, and it has no capabilities unless
 * it is root's.
 */
int task_is_plain(const struct task *task, uid_t uid);

/*
 * How it is restrained, as task_read() has told. One in another user namespace than ours has no
 * rights here, so it gets none.
 */
restraint task_restraint(pid_t pid, const struct task *task);

/* Its hard resource limits, by their numbers, ~0 for none. 0; -ESRCH; -EPROTO. */
int task_limits(pid_t pid, u_quad_t limits[RLIM_NLIMITS]);

/* The id of who logged in that it comes from; -1 when that is nobody. */
unsigned task_login(pid_t pid);

/* Whether the program that it runs has that name. */
int task_runs(pid_t pid, const char *name);

/* Its command line, a NUL after each word, cut at `size`; bytes. */
unsigned task_words(pid_t pid, char *words, size_t size);

/* Its number in the innermost pid namespace that it is in; 0 when it is not there. */
pid_t task_number(pid_t pid);

/* Its parent; 0 when it is not there. */
pid_t task_parent(pid_t pid);

/*
 * Children of `pid`, ended ones included, to list[max]; how many there are, which may be more, or
 * -errno.
 */
int task_children(pid_t pid, pid_t *list, unsigned max);

#endif
