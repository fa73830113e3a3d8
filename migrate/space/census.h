/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who lives in the space beside those that were launched: processes that were made here by fork(2).
 * Nobody tells of a fork, so /proc is looked through again and again, often while new numbers are
 * given out and seldom otherwise.
 *
 * Life of a resident: seen for the first time; reported when it is still there a moment later, so
 * that short-lived ones cost nobody anything; from then on its stops and continuations and, by its
 * pidfd, its end. Of a launched process only what it does to its group and session is reported.
 *
 * What stands for something else is no resident: keepers, even one that was given up before it
 * spoke, CRIU at work, processes that are about to leave (their exit signal is 0 until they have
 * become what they will be) and ghosts. Nor is what has its parent's memory and all signals
 * blocked: it has yet to execute what it will be.
 */
#ifndef BPROC_SPACE_CENSUS_H
#define BPROC_SPACE_CENSUS_H

#include <stdbool.h>
#include <sys/types.h>

#include "migrate/space/reap.h"
#include "proto/bproc.h"

struct census_ops {
    void (*on_born)(const born_msg *born);
    void (*on_group)(const group_msg *group);
    reap_fn *on_status;             /* of what was born here; the status of an end is unknown: 0 */
};

/* Once, with /proc mounted. 0 or -errno. */
int census_init(const struct census_ops *ops);

/* For poll(2): readable when one has ended; then census_ends(). -1 when there is none. */
int census_fd(void);
void census_ends(void);

/*
 * It has been sent SIGCONT, of which the next look may see nothing: it may have been stopped again.
 */
void census_continued(pid_t pid);

/* Something was launched or done to a process: the next look comes soon. */
void census_hurry(void);

/* Looks if it is due. How long poll(2) may wait, in milliseconds; -1: for ever. */
int census_look(void);

/* A child of init has been reaped: its status is known after all. */
void census_reaped(pid_t pid, int status);

/* The number is given to one that is launched: what had it is not to be heard of again. */
void census_forget(pid_t pid);

/* Of a process that was born here and reported; else -1. Borrowed. */
int census_pidfd(pid_t pid);

#endif
