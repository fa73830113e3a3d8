/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bpsh_answers.h"
#include "tools/bpsh_deadline.h"
#include "tools/bpsh_ender.h"
#include "tools/bpsh_line.h"
#include "tools/bpsh_outfile.h"
#include "tools/bpsh_loop.h"
#include "tools/bpsh_progress.h"
#include "tools/bpsh_signal.h"
#include "tools/bpsh_stdin.h"
#include "tools/bpsh_waits.h"
#include "tools/tool.h"

#define DIVIDER "---------------------------------------------------------------------"

bool loop_all_started(const struct run *run)
{
    return run->next == run->count || run->interrupted;
}

/* With one output after the other, a task's pipes keep its data until it is its turn. */
static bool output_wanted(const struct run *run, const struct task *task)
{
    return !run->sequential || (task == &run->tasks[run->turn] && !task_untold(task));
}

static void set_fill(struct waits *set, const struct run *run)
{
    set->count = 0;
    if (answers_wanted(run))
        waits_add(set, NULL, run->plan->line->daemon.conn, POLLIN);
    waits_add(set, NULL, run->child_fd, POLLIN);
    if (stdin_wanted(run))
        waits_add(set, NULL, run->keyboard.fd, POLLIN);
    for (size_t i = 0; i < run->count; i++) {
        struct task *task = &run->tasks[i];

        if (!answer_waits(run, task))
            waits_add(set, task, task->report_fd, POLLIN);
        /* Without events this still tells when the node closes its end. */
        if (task->input_fd >= 0)
            waits_add(set, task, task->input_fd,
                    run->input->full || !input_done(run->input, task->input_pos) ? POLLOUT : 0);
        for (int o = 0; o < 2; o++)
            if (output_wanted(run, task))
                waits_add(set, task, task->out[o].fd, POLLIN);
    }
}

static void failure_print(struct task *task, const struct command *command)
{
    task->complained = true;
    if (command_is_at_fault(command, task->error) && !tool_socket_is_at_fault(task->error))
        fprintf(stderr, "%d: cannot execute '%s': %s\n", task->node, command->path,
                task_reason(task));
    else
        fprintf(stderr, "%d: %s\n", task->node, task_reason(task));
}

static void failures_print(struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->tasks[i].error && !run->tasks[i].complained)
            failure_print(&run->tasks[i], run->plan->command);
}

/* What they ended as goes by what has been said of them, which came before. */
static void children_reap(struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        task_reap(&run->tasks[i]);
        ender_reap(&run->tasks[i]);
    }
    line_hear(run->plan->line, run->plan);
}

static void task_event(struct run *run, struct task *task, int fd, short revents)
{
    if (fd == task->report_fd) {
        task_report(task, run->plan);
    } else if (fd == task->input_fd) {
        run->input->full = false;
        if ((revents & POLLERR) || input_write(run->input, &task->input_pos, fd) < 0)
            task_close_input(task);
    } else {
        for (int o = 0; o < 2; o++)
            if (fd == task->out[o].fd)
                output_read(&task->out[o], &run->plan->style, task->node);
    }
}

static void set_handle(const struct waits *set, struct run *run)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct pollfd *poll = &set->polls[i];

        if (!poll->revents)
            continue;
        if (set->tasks[i])
            task_event(run, set->tasks[i], poll->fd, poll->revents);
        else if (poll->fd == run->child_fd && signal_take(run))
            children_reap(run);
        else if (poll->fd == run->plan->line->daemon.conn)
            line_hear(run->plan->line, run->plan);
        else if (poll->fd == run->keyboard.fd)
            stdin_read(run);
    }
}

/* Of what has been started lately nobody has heard yet whether it runs. */
static void state_print(struct run *run)
{
    line_hear(run->plan->line, run->plan);
    for (size_t i = 0; i < run->count; i++) {
        struct task *task = &run->tasks[i];
        struct pollfd report = { .fd = task->report_fd, .events = POLLIN };

        if (poll(&report, 1, 0) > 0)
            task_event(run, task, report.fd, report.revents);
    }
    progress_print(run);
    run->asked = false;
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

        if (!task->started || task_untold(task))
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

/* Starts what may be started, tells what could not be. */
static void tasks_start(struct run *run)
{
    size_t running = 0;

    for (size_t i = 0; i < run->next; i++)
        running += task_running(&run->tasks[i]);
    for (; !loop_all_started(run) && (!run->fanout || running < run->fanout); run->next++) {
        struct task *task = &run->tasks[run->next];

        if (!task->started)
            task_start(task, run->plan);
        running += task_running(task);
    }
}

static bool all_over(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (task_running(&run->tasks[i]))
            return false;
    return loop_all_started(run);
}

/* The sooner of two; a negative one is never. */
static int wait_shorter(int a, int b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int turn_wait(const struct waits *set, struct run *run)
{
    int wait = wait_shorter(deadline_wait(run), progress_wait(run));

    wait = wait_shorter(wait, answers_wait(run));
    wait = wait_shorter(wait, stdin_wait(run));
    if (poll(set->polls, set->count, wait) >= 0)
        return 0;
    return errno == EINTR ? 0 : -errno;
}

/* Why the output cannot be written any more; 0: it can. The lack of a reader counts most. */
static int output_error(const struct run *run)
{
    int error = 0;

    for (int i = 0; i < 2 && error != EPIPE; i++)
        if (run->plan->sinks[i] && run->plan->sinks[i]->error)
            error = run->plan->sinks[i]->error;
    return error;
}

static void unwritten_settle(struct run *run)
{
    if (run->unwritten || !output_error(run))
        return;
    run->unwritten = true;
    if (!run->interrupted)
        run->interrupted = SIGPIPE;
    deadline_end_all(run, DEADLINE_GRACE);
}

/* A file that takes no more is its own task's affair. */
static void files_settle(struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        struct task *task = &run->tasks[i];

        outfile_settle(task);
        if (outfile_failed(task) && task_running(task) && task->stage < TASK_LATE)
            deadline_end(task, run->plan, DEADLINE_GRACE);
    }
}

int loop_run(struct run *run)
{
    struct waits set = { 0 };
    int error = waits_init(&set, run->count);

    keyboard_open(&run->keyboard);
    tasks_start(run);
    failures_print(run);
    turn_settle(run);
    while (!error && !all_over(run)) {
        set_fill(&set, run);
        error = turn_wait(&set, run);
        progress_hide(run);
        if (!error)
            set_handle(&set, run);
        if (run->asked)
            state_print(run);
        unwritten_settle(run);
        files_settle(run);
        deadline_settle(run);
        tasks_start(run);
        failures_print(run);
        stdin_settle(run);
        turn_settle(run);
        progress_show(run);
    }
    progress_hide(run);
    keyboard_close(&run->keyboard);
    waits_free(&set);
    return error;
}

static bool died_of(const struct run *run, int signo)
{
    for (size_t i = 0; i < run->count; i++)
        if (WIFSIGNALED(run->tasks[i].status) && WTERMSIG(run->tasks[i].status) == signo)
            return true;
    return false;
}

/* The signal that ended the run, 0 if none did. */
static int interruption(const struct run *run)
{
    bool ended = false;

    for (size_t i = 0; i < run->count; i++)
        ended |= !run->tasks[i].started || WIFSIGNALED(run->tasks[i].status);
    if (run->interrupted)
        return ended ? run->interrupted : 0;
    return run->passed_usr2 && died_of(run, SIGUSR2) ? SIGUSR2 : 0;
}

/* Ends the caller by that signal, so that a shell's script ends as well. */
static void interruption_pass(const struct run *run)
{
    int signo = interruption(run);
    sigset_t mask;

    if (!signo)
        return;
    signal(signo, SIG_DFL);
    sigemptyset(&mask);
    sigaddset(&mask, signo);
    raise(signo);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

/* Did a task die for want of a reader of our own stdout, which it had itself? */
static bool died_unread(const struct run *run)
{
    struct pollfd out = { .fd = STDOUT_FILENO };

    return died_of(run, SIGPIPE) && run->plan->streams[STDOUT_FILENO] == STREAM_OWN &&
           poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP));
}

/* What the tool itself could not do counts, whatever became of the command. */
static int least_result(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (outfile_failed(&run->tasks[i]))
            return 1;
    return run->input_failed;
}

/* One that was ended for its file has been told about. */
static int task_outcome(const struct run *run, const struct task *task)
{
    if (outfile_failed(task))
        return 1;
    if (run->rules == RULES_STRICT)
        return task_result_strict(task);
    return task->error ? task->no_file : task_result(task);
}

int loop_result(const struct run *run)
{
    int highest = least_result(run);
    size_t failed = 0;

    if (output_error(run) == EPIPE || died_unread(run))
        sink_end_tool();
    if (output_error(run))
        return 1;
    interruption_pass(run);
    for (size_t i = 0; i < run->count; i++) {
        const struct task *task = &run->tasks[i];
        int result = task_outcome(run, task);

        failed += task->error != 0;
        highest = result > highest ? result : highest;
    }
    if (run->rules == RULES_NONE)
        return least_result(run);
    if (run->rules == RULES_STRICT || run->count == 0 || failed < run->count)
        return highest;
    if (run->count > 1)
        warnx("cannot run the command on any of %zu nodes", run->count);
    return 1;
}
