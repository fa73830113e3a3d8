/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CRIU worker, seen by whoever has work for it: a ready CRIU (criuready.h) that becomes `criu
 * swrk` and does one thing (criu.h).
 *
 * Life: criuworker_order() has the mover's server fork one for a dump; for a restore the process
 * space starts one, as the restored task becomes its sibling, and is given the far end of a
 * hand-off socket. criuworker_give() gives it descriptors, without waiting until it is there to
 * take them, and lets it begin; criuworker_meet() takes what it says of itself; criuworker_end()
 * lets go of it. All block.
 */
#ifndef BPROC_CRIUWORKER_H
#define BPROC_CRIUWORKER_H

#include <sys/types.h>

struct criuworker_target {
    pid_t pid;                  /* as the worker will see it */
    uid_t uid;
    gid_t gid;
    int mounts;                 /* the mount namespace that the worker goes to */
    int pids;                   /* a process in the pid namespace, as a pidfd; -1: ours */
};

struct criuworker {
    int handoff;                /* -1 when there is none, or it has been met */
    int rpc;                    /* for criu.h */
    int pidfd;
};

#define CRIUWORKER_NONE ((struct criuworker){ -1, -1, -1 })

/*
 * One that may dump the target, from the server that reads the socket `orders`. 0, or -errno, when
 * there is nothing to be ended.
 */
int criuworker_order(int orders, const struct criuworker_target *target,
                     struct criuworker *worker);

/*
 * CRIU finds these descriptors, which stay the caller's, at CRIU_FD_DIR and the numbers after it.
 * Once for each worker. 0 or -errno.
 */
int criuworker_give(const struct criuworker *worker, const int *fds, unsigned count);

/* 0 when it is loaded and worker->rpc is that of CRIU; -EIO when there is none, or it hangs. */
int criuworker_meet(struct criuworker *worker);

/* One that has nothing left to do ends by itself; `kill` ends one that might hang, too. */
void criuworker_end(struct criuworker *worker, int kill);

#endif
