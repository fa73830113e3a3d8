/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tools/bpsh_answers.h"
#include "tools/tool.h"

#define SHORT_MS 20             /* from when on a command is not a short one any more */

bool answer_waits(const struct run *run, const struct task *task)
{
    return task_untold(task) && task->pid > 0 && !run->sequential && !run->progress &&
           !run->plan->connect_ms && !run->plan->run_ms &&
           tool_clock() - task->start < SHORT_MS;
}

int answers_wait(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (answer_waits(run, &run->tasks[i]))
            return SHORT_MS;
    return -1;
}

bool answers_wanted(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->tasks[i].line && !answer_waits(run, &run->tasks[i]))
            return true;
    return false;
}
