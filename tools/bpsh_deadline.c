/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "libbproc/client.h"
#include "tools/bpsh_deadline.h"
#include "tools/bpsh_ender.h"
#include "tools/tool.h"

#define ENDER_MS 2000           /* what ending takes at most, beside the grace */

int deadline_wait(const struct run *run)
{
    int64_t first = INT64_MAX, left;

    for (size_t i = 0; i < run->count; i++)
        if (task_running(&run->tasks[i]) && run->tasks[i].deadline > 0 &&
            run->tasks[i].deadline < first)
            first = run->tasks[i].deadline;
    if (first == INT64_MAX)
        return -1;
    left = first - tool_clock();
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static void child_kill(pid_t pid)
{
    if (pid > 0)
        kill(pid, SIGKILL);
}

static void task_give_up(struct task *task, const struct task_plan *plan)
{
    task->stage = TASK_KILLED;
    task->deadline = 0;
    child_kill(task->pid);
    child_kill(task->ender);
    task_abandon(task, plan);
}

void deadline_end(struct task *task, const struct task_plan *plan, int grace)
{
    /* Behind a command that has ended, what it left has its output open, and is not to be found. */
    if (task->pid == 0) {
        if (task->ender == 0)
            task_give_up(task, plan);
        return;
    }
    task->stage = TASK_LATE;
    task->deadline = tool_clock() + grace * 1000 + ENDER_MS;
    ender_start(task, plan, grace);
}

/* All that could be found has ended, what is left has its outputs open. */
static bool task_is_lost(const struct task *task)
{
    return task->stage == TASK_LATE && task->pid == 0 && task->ender == 0;
}

static bool deadline_passed(const struct task *task, int64_t now)
{
    return task->deadline > 0 && task->deadline <= now;
}

static bool daemon_is_there(void)
{
    int fd = client_open();

    client_close(fd);
    return fd >= 0;
}

/* Who is back, and stays, ends the child as its process or kills it. Nobody else would. */
static void untold_pass(struct task *task, const struct task_plan *plan)
{
    bool there = daemon_is_there();

    task->looks = there == task->daemon_there ? task->looks + 1 : 1;
    task->daemon_there = there;
    if (task->pid == 0 || (there && task->looks == UNTOLD_LOOKS)) {
        task_runs(task, plan);
    } else if (task->looks < UNTOLD_LOOKS) {
        task->deadline = tool_clock() + UNTOLD_MS / UNTOLD_LOOKS;
    } else {
        task_doubt(task);
        task->complained = true;
        fprintf(stderr, "%d: %s\n", task->node, task_reason(task));
        task_give_up(task, plan);
    }
}

void deadline_tell(const struct task *task, const struct task_plan *plan)
{
    fprintf(stderr, "%d: no end within %g s\n", task->node, (double)plan->run_ms / 1000);
}

static void deadline_pass(struct task *task, const struct task_plan *plan)
{
    if (task->stage == TASK_UNTOLD) {
        untold_pass(task, plan);
    } else if (task->stage == TASK_ALLOWED && task_untold(task)) {
        task->error = ETIMEDOUT;
        task->complained = true;
        fprintf(stderr, "%d: %s\n", task->node, strerror(ETIMEDOUT));
        task_give_up(task, plan);
    } else if (task->stage == TASK_ALLOWED) {
        task->timed_out = true;
        deadline_tell(task, plan);
        deadline_end(task, plan, DEADLINE_GRACE);
    } else {
        task_give_up(task, plan);
    }
}

void deadline_settle(struct run *run)
{
    int64_t now = tool_clock();

    for (size_t i = 0; i < run->count; i++)
        if (task_running(&run->tasks[i]) &&
            (deadline_passed(&run->tasks[i], now) || task_is_lost(&run->tasks[i])))
            deadline_pass(&run->tasks[i], run->plan);
}

void deadline_end_all(struct run *run, int grace)
{
    for (size_t i = 0; i < run->count; i++)
        if (task_running(&run->tasks[i]))
            deadline_end(&run->tasks[i], run->plan, grace);
}
