/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>

#include "tools/bpsh_line.h"

void line_wait(struct line *line, struct task *task)
{
    task->line = line;
    LIST_INSERT_HEAD(&line->waiting, task, awaits);
}

void line_rest(struct line *line)
{
    if (LIST_EMPTY(&line->waiting))
        spawnline_close(&line->daemon);
}

void line_leave(struct task *task)
{
    struct line *line = task->line;

    if (!line)
        return;
    LIST_REMOVE(task, awaits);
    task->line = NULL;
    line_rest(line);
}

static struct task *task_find(const struct line *line, uint32_t serial)
{
    struct task *task;

    LIST_FOREACH(task, &line->waiting, awaits)
        if (task->serial == serial)
            break;
    return task;
}

static void task_settle(struct task *task, const struct task_plan *plan, int error)
{
    line_leave(task);
    task_told(task, plan, error);
}

int line_lost(struct line *line)
{
    struct spawnline_answer answer;

    return spawnline_hear(&line->daemon, &answer) == -EPROTONOSUPPORT ? -EPROTONOSUPPORT : -EBUSY;
}

void line_hear(struct line *line, const struct task_plan *plan)
{
    struct spawnline_answer answer;
    struct task *task;
    int got;

    if (line->daemon.conn < 0)
        return;
    while ((got = spawnline_hear(&line->daemon, &answer)) > 0) {
        /* Whoever gave up may be answered all the same. */
        task = task_find(line, answer.serial);
        if (task)
            task_settle(task, plan, answer.error);
    }
    while (got < 0 && (task = LIST_FIRST(&line->waiting)))
        task_settle(task, plan, got == -ECONNRESET && task->serial == line->daemon.serial
                                    ? -EBUSY : TASK_NOT_TOLD);
}
