/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the tasks of one run going: starts them, as many at a time as may be, moves their input
 * and output, minds their time limits, passes signals on, until all are over.
 *
 * Life: the caller fills a struct run (all else zero) with tasks that task_init() made, calls
 * loop_run(), looks at the tasks, takes loop_result().
 *
 * SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGUSR2 are passed on to all tasks, unless the terminal sent
 * them to all, as the tasks are in the caller's process group and have had them then. A second
 * SIGINT within a second kills the tasks with all their descendants. SIGUSR1 shows the state. When
 * the output cannot be written any more the tasks are ended as by a time limit; a task whose own
 * file cannot is ended alone.
 */
#ifndef TOOLS_BPSH_LOOP_H
#define TOOLS_BPSH_LOOP_H

#include "tools/bpsh_input.h"
#include "tools/bpsh_keyboard.h"
#include "tools/bpsh_task.h"

struct progress;

enum run_rules {
    RULES_CLASSIC,                  /* see loop_result() */
    RULES_STRICT,                   /* the highest of task_result_strict() */
    RULES_NONE                      /* 0 whatever the tasks did */
};

struct run {
    struct task *tasks;             /* what the caller has not started the loop does */
    size_t count;
    const struct task_plan *plan;
    struct input *input;            /* NULL: the tasks have none from bpsh */
    struct keyboard keyboard;       /* the loop's own: where stdin is read */
    int child_fd;                   /* task_prepare()'s */
    size_t fanout;                  /* tasks that run at the same time; 0: all */
    enum run_rules rules;
    struct progress *progress;      /* NULL: none is shown */
    bool keys;                      /* stdin is a terminal nobody reads: Enter shows the state */
    bool asked;                     /* somebody wants to see the state */
    bool sequential;                /* output of one task after the other */
    bool divider;                   /* a line in front of each task's output */
    size_t turn;                    /* sequential: whose output it is */
    bool divided;                   /* the line of that one is out */
    size_t next;                    /* no task before it is left to be started */
    int interrupted;                /* signal that was to end the run; none is started after it */
    int64_t interrupt_time;
    bool passed_usr2;               /* SIGUSR2 has come, which ends the run if it ends a task */
    bool input_failed;              /* stdin could not be read to its end */
    bool unwritten;                 /* a sink takes no more: the tasks have been told to end */
};

/*
 * Blocks until every task is over. Prints "NODE: reason" to stderr for each that could not be
 * created. 0, or -errno when the loop itself cannot go on.
 */
int loop_run(struct run *run);

/* Is no task left to be started? */
bool loop_all_started(const struct run *run);

/*
 * Exit status of a run that is over: the highest of its tasks', 255 if one died by a signal; those
 * that could not be created count only if there are no others, then it is 1, as it is at least when
 * stdin or a task's own file was at fault. It is 1, too, when the output could not be written. When
 * a signal ended the run and a task, or nobody reads the output any more, the caller ends by signal
 * as well.
 */
int loop_result(const struct run *run);

#endif
