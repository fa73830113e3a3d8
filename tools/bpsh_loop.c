/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tools/bpsh_loop.h"
#include "tools/tool.h"

#define DIVIDER "---------------------------------------------------------------------"
#define FDS_A_TASK 4

/* What one turn waits for; tasks[i] stands for polls[i], NULL for what belongs to no task. */
struct wait_set {
    struct pollfd *polls;
    struct task **tasks;
    size_t count;
};

static int set_init(struct wait_set *set, size_t tasks)
{
    size_t room = 2 + FDS_A_TASK * tasks;

    set->polls = calloc(room, sizeof(*set->polls));
    set->tasks = calloc(room, sizeof(*set->tasks));
    return set->polls && set->tasks ? 0 : -ENOMEM;
}

static void set_free(struct wait_set *set)
{
    free(set->polls);
    free(set->tasks);
}

static void set_add(struct wait_set *set, struct task *task, int fd, short events)
{
    if (fd < 0)
        return;
    set->polls[set->count] = (struct pollfd) { .fd = fd, .events = events };
    set->tasks[set->count++] = task;
}

static bool input_used(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->tasks[i].input_fd >= 0)
            return true;
    return false;
}

/* With one output after the other, a task's pipes keep its data until it is its turn. */
static bool output_wanted(const struct run *run, const struct task *task)
{
    return !run->sequential || (task == &run->tasks[run->turn] && task->report_fd < 0);
}

static void set_fill(struct wait_set *set, const struct run *run)
{
    set->count = 0;
    set_add(set, NULL, run->child_fd, POLLIN);
    if (run->input && input_wants(run->input) && input_used(run))
        set_add(set, NULL, STDIN_FILENO, POLLIN);
    for (size_t i = 0; i < run->count; i++) {
        struct task *task = &run->tasks[i];

        set_add(set, task, task->report_fd, POLLIN);
        /* Without events this still tells when the node closes its end. */
        if (task->input_fd >= 0)
            set_add(set, task, task->input_fd,
                    input_done(run->input, task->input_pos) ? 0 : POLLOUT);
        for (int o = 0; o < 2; o++)
            if (output_wanted(run, task))
                set_add(set, task, task->out[o].fd, POLLIN);
    }
}

static void failure_print(const struct task *task)
{
    fprintf(stderr, "%d: %s\n", task->node, tool_reason(task->error));
}

static void stdin_read(struct run *run)
{
    int error = input_read(run->input, STDIN_FILENO);

    if (error)
        warnx("cannot read stdin: %s", strerror(-error));
}

static void children_reap(struct run *run)
{
    struct signalfd_siginfo info;

    if (read(run->child_fd, &info, sizeof(info)) < 0)
        return;
    for (size_t i = 0; i < run->count; i++)
        task_reap(&run->tasks[i]);
}

static void task_event(struct run *run, struct task *task, int fd, short revents)
{
    if (fd == task->report_fd) {
        task_report(task);
        if (task->report_fd < 0 && task->error)
            failure_print(task);
    } else if (fd == task->input_fd) {
        if ((revents & POLLERR) || input_write(run->input, &task->input_pos, fd) < 0)
            task_close_input(task);
    } else {
        for (int o = 0; o < 2; o++)
            if (fd == task->out[o].fd)
                output_read(&task->out[o], &run->plan->style, task->node);
    }
}

static void set_handle(const struct wait_set *set, struct run *run)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct pollfd *poll = &set->polls[i];

        if (!poll->revents)
            continue;
        if (set->tasks[i])
            task_event(run, set->tasks[i], poll->fd, poll->revents);
        else if (poll->fd == run->child_fd)
            children_reap(run);
        else
            stdin_read(run);
    }
}

/* Passes on the end of stdin and forgets what every node has had. */
static void input_settle(struct run *run)
{
    uint64_t lowest = UINT64_MAX;

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

static void divider_put(struct run *run, const struct task *task)
{
    char line[sizeof(DIVIDER) + 16];

    snprintf(line, sizeof(line), "%d\t%s\n", task->node, DIVIDER);
    sink_put(run->plan->sinks[0], line, strlen(line));
    sink_flush(run->plan->sinks[0]);
}

static void turn_settle(struct run *run)
{
    while (run->sequential && run->turn < run->count) {
        const struct task *task = &run->tasks[run->turn];

        if (task->report_fd >= 0)
            return;
        if (run->divider && !run->divided && !task->error)
            divider_put(run, task);
        run->divided = true;
        if (task->out[0].fd >= 0 || task->out[1].fd >= 0)
            return;
        /* The last one keeps the turn: there is always a task to compare with. */
        if (run->turn + 1 == run->count)
            return;
        run->turn++;
        run->divided = false;
    }
}

static bool all_over(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (!task_over(&run->tasks[i]))
            return false;
    return true;
}

int loop_run(struct run *run)
{
    struct wait_set set = { 0 };
    int error = set_init(&set, run->count);

    for (size_t i = 0; i < run->count && !error; i++)
        if (run->tasks[i].error)
            failure_print(&run->tasks[i]);
    turn_settle(run);
    while (!error && !all_over(run)) {
        set_fill(&set, run);
        if (poll(set.polls, set.count, -1) < 0 && errno != EINTR)
            error = -errno;
        else
            set_handle(&set, run);
        input_settle(run);
        turn_settle(run);
    }
    set_free(&set);
    return error;
}

int loop_result(const struct run *run)
{
    size_t failed = 0;
    int highest = 0;

    for (size_t i = 0; i < run->count; i++) {
        int result = run->tasks[i].error ? 0 : task_result(&run->tasks[i]);

        failed += run->tasks[i].error != 0;
        highest = result > highest ? result : highest;
    }
    if (run->count == 0 || failed < run->count)
        return highest;
    if (run->count > 1)
        warnx("cannot run the command on any of %zu nodes", run->count);
    return 1;
}
