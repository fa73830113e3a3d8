/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who waits to hear from the daemon whether his command runs, of all tasks of a tool.
 *
 * Life: LINE_NONE; task_start() has a task wait; line_hear() settles those that there is an answer
 * for, and all of them when the daemon has gone; line_leave() is for who does not wait any longer.
 * While nobody waits there is no connection.
 */
#ifndef TOOLS_BPSH_LINE_H
#define TOOLS_BPSH_LINE_H

#include <sys/queue.h>

#include "tools/bpsh_task.h"

struct line {
    struct spawnline daemon;
    LIST_HEAD(, task) waiting;
};

#define LINE_NONE { .daemon = SPAWNLINE_NONE }

/* For the answer with its serial. */
void line_wait(struct line *line, struct task *task);

/* A task that waits for none is allowed. */
void line_leave(struct task *task);

/* Why the daemon has dropped a line that is used for the first time. */
int line_lost(struct line *line);

/* Hears what has been said, as task_told() wants it. Does not block. */
void line_hear(struct line *line, const struct task_plan *plan);

/* Nobody is to be connected without need. */
void line_rest(struct line *line);

#endif
