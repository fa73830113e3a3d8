/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tools/bpsh_stdin.h"

#define REST_MS 500         /* between two looks whether stdin may be read again */

/* Is there a task that reads input, or may be? */
static bool input_used(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->tasks[i].input_fd >= 0)
            return true;
    return !loop_all_started(run);
}

/* To read ahead of all tasks would only fill the memory: some may never read at all. */
static bool input_awaited(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->tasks[i].input_fd >= 0 && input_done(run->input, run->tasks[i].input_pos))
            return true;
    return !run->input->grows;
}

/* The only task that reads input from now on, if what comes needs no copy on its way to it. */
static struct task *passed_to(const struct run *run)
{
    struct task *found = NULL;

    for (size_t i = 0; i < run->count; i++) {
        if (run->tasks[i].input_fd < 0)
            continue;
        if (found)
            return NULL;
        found = &run->tasks[i];
    }
    if (!found || !loop_all_started(run))
        return NULL;
    return input_passes(run->input, found->input_pos) ? found : NULL;
}

/* Who was to end shall not be stopped for input on the way; it may come to the foreground yet. */
static bool input_rests(const struct run *run)
{
    return run->input && run->interrupted && keyboard_in_background(&run->keyboard);
}

bool stdin_wanted(const struct run *run)
{
    if (!run->input)
        return run->keys && keyboard_in_foreground(&run->keyboard);
    return input_wants(run->input) && input_used(run) && input_awaited(run) &&
           !run->input->full && !input_rests(run);
}

static void input_take(struct run *run)
{
    struct task *task = passed_to(run);
    int error;

    keyboard_begin(&run->keyboard);
    error = task ? 0 : input_read(run->input, run->keyboard.fd);
    keyboard_end(&run->keyboard);
    if (task && input_pass(run->input, &task->input_pos, STDIN_FILENO, task->input_fd) < 0)
        task_close_input(task);
    if (error) {
        run->input_failed = true;
        warnx("cannot read stdin: %s", strerror(-error));
    }
}

static void key_read(struct run *run)
{
    char line[256];
    ssize_t n;

    /* It may have gone to the background since it began to wait. */
    if (!keyboard_in_foreground(&run->keyboard))
        return;
    keyboard_begin(&run->keyboard);
    n = read(run->keyboard.fd, line, sizeof(line));
    keyboard_end(&run->keyboard);
    if (n > 0)
        run->asked = true;
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        run->keys = false;
}

void stdin_read(struct run *run)
{
    if (!run->input)
        key_read(run);
    else if (!input_rests(run))
        input_take(run);
}

int stdin_wait(const struct run *run)
{
    return input_rests(run) ? REST_MS : -1;
}

void stdin_settle(struct run *run)
{
    uint64_t lowest = loop_all_started(run) ? UINT64_MAX : 0;

    if (!run->input)
        return;
    for (size_t i = 0; i < run->count; i++) {
        struct task *task = &run->tasks[i];

        if (task->input_fd < 0)
            continue;
        if (run->input->eof && input_done(run->input, task->input_pos))
            task_close_input(task);
        else if (task->input_pos < lowest)
            lowest = task->input_pos;
    }
    if (lowest != UINT64_MAX)
        input_drop(run->input, lowest);
}
