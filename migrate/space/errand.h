/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What init asks of a keeper and what that reports, over the channel between them: packets with
 * one of these structures, as both are the same program. Nothing here takes memory or changes a
 * state of libc, so that it is fit for who shares the memory of others.
 */
#ifndef BPROC_SPACE_ERRAND_H
#define BPROC_SPACE_ERRAND_H

#include <stdint.h>
#include <sys/types.h>

#include "proto/bproc.h"

enum errand_kind {
    ERRAND_LAUNCH = 1,          /* of what the first descriptor has; the others are for that */
    ERRAND_KEEPER,              /* make the one that has the descriptor for its channel */
    ERRAND_ANSWER,              /* say that all that was to be reported has been */
    ERRAND_LEAVE                /* end; no answer */
};

struct errand {
    int kind;
    pid_t pid;                  /* the keeper to make */
    uid_t puid;                 /* a launch: whose the parent is */
    int beside;                 /* what is forked for this may stand beside who forks it */
    int leaves;                 /* a launch: the keeper is to end with its last child */
    uint64_t len;               /* a launch: bytes to be read */
    unsigned nfds;              /* descriptors that come with it; errand_send() fills it in */
};

enum report_kind {
    REPORT_ANSWER = 1,          /* `error`; of a launch `worker` and `session` */
    REPORT_UNMADE,              /* `error`: by who was to make the keeper that would answer here */
    REPORT_STATUS,              /* `event`, of the process `pid` */
    REPORT_SIGNAL
};

struct report {
    int kind;
    int error;
    pid_t worker, session;      /* as in struct launch */
    bproc_proc event;
    pid_t pid;                  /* also what a launch has started */
    int status;                 /* as wait(2) gives it */
    int last;                   /* of this keeper, which ends with that */
    signal_msg signal;
};

/* 0 or -errno. Blocks until there is room. */
int errand_send(int channel, const struct errand *errand, const int *fds, unsigned nfds);

/*
 * The next one; its descriptors, close-on-exec, go to fds[BPROC_MAX_FDS] and are the caller's. 0
 * or -errno; -ECONNRESET when init has gone, -EMFILE when there was no room for all descriptors:
 * those that are there are the caller's. Blocks.
 */
int errand_recv(int channel, struct errand *errand, int *fds, unsigned *nfds);

/* The same for reports; -EAGAIN when the patience of the socket is over. */
int report_send(int channel, const struct report *report);
int report_recv(int channel, struct report *report);

#endif
