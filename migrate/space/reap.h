/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has become of the caller's children, as the events the space reports. Children are found by
 * waiting for any of them: both init and a keeper have children nobody told them of.
 */
#ifndef BPROC_SPACE_REAP_H
#define BPROC_SPACE_REAP_H

#include <stdbool.h>
#include <sys/types.h>

#include "proto/bproc.h"

/* `event`: P_SPACE_EXITED (the child is reaped), P_SPACE_STOPPED or P_SPACE_CONTINUED. */
typedef void reap_fn(bproc_proc event, pid_t pid, int status);

struct reaped {
    bproc_proc event;
    pid_t pid;
    int status;
};

/* The next thing to know, if there is one. Does not block, takes no memory, changes no errno. */
bool reap_next(struct reaped *reaped);

/* There is no child, ended or not. As reap_next(). */
bool reap_was_last(void);

/* Takes in all there is to know and hands each to `report`. Does not block. */
void reap_all(reap_fn *report);

/* Reaps the caller's child: how it ended. 0 when it is another's child. Does not block. */
int reap_status(int pidfd);

/*
 * A signalfd(2) for SIGCHLD, which is blocked from now on; -errno. All signals have their default
 * action, which init is safe from, and everything that is forked here begins with.
 */
int reap_signals(void);

#endif
