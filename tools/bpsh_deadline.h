/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time limits of tasks. One that does not run in time is given up; one that runs for too long is
 * told to end, with its descendants, and what does not end in spite of that is abandoned. When the
 * daemon dies before it has said whether a task runs, and is not back in time, that is killed.
 */
#ifndef TOOLS_BPSH_DEADLINE_H
#define TOOLS_BPSH_DEADLINE_H

#include "tools/bpsh_loop.h"

#define DEADLINE_GRACE 5        /* seconds between SIGTERM and SIGKILL */

/* Milliseconds until the next limit, -1: there is none. */
int deadline_wait(const struct run *run);

/* Does what the limits that have passed ask for. Does not block. */
void deadline_settle(struct run *run);

/* Says that it has not ended within its time. */
void deadline_tell(const struct task *task, const struct task_plan *plan);

/* Ends that task, which runs, with its descendants, and does not say that it was for its time. */
void deadline_end(struct task *task, const struct task_plan *plan, int grace);

/* Ends all tasks that run, with descendants: SIGTERM, SIGKILL `grace` seconds later, 0: at once. */
void deadline_end_all(struct run *run, int grace);

#endif
