/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the tasks of one run of bpsh going: their input, output, reports and ends, until all are
 * over.
 */
#ifndef TOOLS_BPSH_LOOP_H
#define TOOLS_BPSH_LOOP_H

#include "tools/bpsh_input.h"
#include "tools/bpsh_task.h"

struct run {
    struct task *tasks;             /* all started */
    size_t count;
    const struct task_plan *plan;
    struct input *input;            /* NULL: the tasks have none from bpsh */
    int child_fd;                   /* signalfd for SIGCHLD */
    bool sequential;                /* output of one task after the other */
    bool divider;                   /* a line in front of each task's output */
    size_t turn;                    /* sequential: whose output it is */
    bool divided;                   /* the line of that one is out */
};

/*
 * Blocks until every task is over. Prints "NODE: reason" to stderr for each that could not be
 * created. 0, or -errno when the loop itself cannot go on.
 */
int loop_run(struct run *run);

/*
 * Exit status of a run that is over: the highest of its tasks', 255 if one died by a signal; those
 * that could not be created count only if there are no others, then it is 1.
 */
int loop_result(const struct run *run);

#endif
