/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "common/nodeset.h"
#include "tools/bpsh_progress.h"
#include "tools/tool.h"

#define SHOW_MS 100

enum state { STATE_WAITING, STATE_STARTING, STATE_RUNNING, STATE_DONE, STATE_FAILED, STATES };

static const char *const state_names[STATES] = {
    "waiting", "starting", "running", "done", "failed"
};

static enum state task_state(const struct task *task)
{
    if (!task->started)
        return STATE_WAITING;
    if (task->error)
        return STATE_FAILED;
    if (!task_over(task))
        return task_untold(task) ? STATE_STARTING : STATE_RUNNING;
    return task->status != 0 || task->timed_out ? STATE_FAILED : STATE_DONE;
}

void progress_print(const struct run *run)
{
    struct nodeset sets[STATES] = { { 0 } };

    for (size_t i = 0; i < run->count; i++)
        if (nodeset_push(&sets[task_state(&run->tasks[i])], run->tasks[i].node) < 0)
            break;
    for (int state = 0; state < STATES; state++) {
        char *folded = sets[state].count > 0 ? nodeset_fold(&sets[state]) : NULL;

        if (folded)
            warnx("%s: %s (%zu)", state_names[state], folded, sets[state].count);
        free(folded);
        nodeset_free(&sets[state]);
    }
}

void progress_show(struct run *run)
{
    size_t counts[STATES] = { 0 };
    int64_t now = tool_clock();

    if (!run->progress || run->progress->shown || now - run->progress->last < SHOW_MS)
        return;
    for (size_t i = 0; i < run->count; i++)
        counts[task_state(&run->tasks[i])]++;
    fprintf(stderr, "\r%s%zu/%zu%s done", tool_color(2, TOOL_BOLD),
            counts[STATE_DONE] + counts[STATE_FAILED], run->count, tool_color(2, TOOL_PLAIN));
    if (counts[STATE_FAILED] > 0)
        fprintf(stderr, ", %s%zu failed%s", tool_color(2, TOOL_RED), counts[STATE_FAILED],
                tool_color(2, TOOL_PLAIN));
    if (counts[STATE_RUNNING] + counts[STATE_STARTING] > 0)
        fprintf(stderr, ", %zu running", counts[STATE_RUNNING] + counts[STATE_STARTING]);
    fprintf(stderr, "\033[K");
    fflush(stderr);
    run->progress->shown = true;
    run->progress->last = now;
}

void progress_hide(struct run *run)
{
    if (!run->progress || !run->progress->shown)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    run->progress->shown = false;
}

int progress_wait(const struct run *run)
{
    int64_t left;

    if (!run->progress || run->progress->shown)
        return -1;
    left = run->progress->last + SHOW_MS - tool_clock();
    return left > 0 ? (int)left : 0;
}
