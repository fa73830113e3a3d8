/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libbproc/depart.h"
#include "libbproc/standin.h"
#include "tools/bpsh_line.h"
#include "tools/bpsh_outfile.h"
#include "tools/bpsh_task.h"
#include "tools/tool.h"

#define STATUS_SIGNAL 255
#define STATUS_LATE 124
#define STATUS_LOST 255

/* The ends for the child, by the number they get there. */
struct child_ends {
    int fds[3];
};

int task_prepare(struct task_plan *plan)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct rlimit files;
    sigset_t mask;
    int fd;

    tool_start(STDOUT_FAILS);
    tool_mask(&plan->mask);
    circumstances_note(&plan->now, signals_now());
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    sigaction(SIGPIPE, &ignore, NULL);
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    tool_signals(&mask);
    fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    /* A file that may not grow is told by the error of the write. */
    sigaddset(&mask, SIGXFSZ);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    return fd < 0 ? -errno : fd;
}

/* A pipe whose end for bpsh is non-blocking. */
static int pipe_make(int *own, int *child, bool child_reads)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    *own = fds[child_reads ? 1 : 0];
    *child = fds[child_reads ? 0 : 1];
    return fcntl(*own, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int stream_make(struct task *task, const struct task_plan *plan, int target, int *own,
                       int *child)
{
    enum task_stream kind = plan->streams[target];

    int error = kind == STREAM_FILE ? outfile_open(task, plan->outdir, target) : 0;

    if (error)
        return error;
    if (kind == STREAM_PIPE || kind == STREAM_FILE)
        return pipe_make(own, child, target == STDIN_FILENO);
    if (kind == STREAM_NULL)
        return 0;
    *child = fcntl(target, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return *child < 0 ? -errno : 0;
}

static int fd_join(int fd, int *child)
{
    *child = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return *child < 0 ? -errno : 0;
}

static int ends_make(struct task *task, const struct task_plan *plan, struct child_ends *ends)
{
    int own[3] = { -1, -1, -1 };
    int error = 0;

    for (int i = 0; i < 3 && !error; i++)
        error = plan->streams[i] == STREAM_JOINED
            ? fd_join(ends->fds[STDOUT_FILENO], &ends->fds[i])
            : stream_make(task, plan, i, &own[i], &ends->fds[i]);
    task->input_fd = own[0];
    for (int i = 0; i < 2; i++) {
        struct sink *sink = task->files[i] ? task->files[i] : plan->sinks[i];
        int failed = own[i + 1] < 0 ? 0 : output_open(&task->out[i], own[i + 1], sink,
                                                      &plan->style);

        error = error ? error : failed;
    }
    return error;
}

static int number_set(const char *name, long value)
{
    char text[24];

    snprintf(text, sizeof(text), "%ld", value);
    return setenv(name, text, 1);
}

int task_environment(const struct task *task, const struct task_plan *plan)
{
    const struct command *command = plan->command;

    if (number_set("BPROC_RANK", task->rank) < 0 || number_set("BPROC_NODE", task->node) < 0 ||
        number_set("BPROC_NNODES", (long)plan->count) < 0)
        return -1;
    return setenv("BPROC_PROGNAME", command->target ? command->target : command->path, 1);
}

static enum spawn_place task_place(const struct task *task)
{
    if (tool_self_known() == BPROC_NODE_NONE)
        return SPAWN_ANYWHERE;
    return task->node == tool_self_known() ? SPAWN_HERE : SPAWN_AWAY;
}

/* 0 with the child there, whose report is open or on the line; or a negative errno. */
static int child_start(struct task *task, const struct task_plan *plan,
                       const struct child_ends *ends)
{
    const struct command *command = plan->command;
    struct spawn spawn = { .now = &plan->now, .node = task->node, .place = task_place(task),
                           .send = command->sent, .fds = ends->fds, .cmd = command->path,
                           .argv = command->argv };
    int error;

    if (task_environment(task, plan) < 0)
        return -errno;
    spawn.envp = environ;
    error = spawn_start(&spawn, &plan->line->daemon);
    if (error == -EPIPE) {
        line_hear(plan->line, plan);
        error = spawn_start(&spawn, &plan->line->daemon);
        if (error == -EPIPE)
            error = line_lost(plan->line);
    }
    task->pid = spawn.pid;
    task->memory = spawn.memory;
    task->report_fd = spawn.report;
    task->serial = spawn.serial;
    if (!error && spawn.place == SPAWN_AWAY)
        line_wait(plan->line, task);
    else
        line_rest(plan->line);
    return error;
}

void task_init(struct task *task, int node, int rank)
{
    *task = (struct task) { .node = node, .rank = rank, .report_fd = -1, .input_fd = -1,
                            .out = { OUTPUT_NONE, OUTPUT_NONE } };
}

void task_start(struct task *task, const struct task_plan *plan)
{
    struct child_ends ends = { { -1, -1, -1 } };
    int error;

    task->started = true;
    task->leaves_output = plan->leaves_output;
    task->start = tool_clock();
    task->deadline = plan->connect_ms ? task->start + plan->connect_ms : 0;
    error = ends_make(task, plan, &ends);
    if (!error)
        error = child_start(task, plan, &ends);
    for (int i = 0; i < 3; i++)
        tool_close(&ends.fds[i]);
    if (error) {
        task->error = -error;
        task->end = task->start;
        task_free(task);
    }
}

void task_doubt(struct task *task)
{
    task->error = EIO;
    task->in_doubt = true;
}

const char *task_reason(const struct task *task)
{
    return task->in_doubt ? "the daemon went away before it said whether the command runs"
                          : tool_reason(task->error);
}

/* Without a report, how the child ended tells whether there was a process. */
static void untold_settle(struct task *task)
{
    if (task->stage == TASK_UNTOLD && task->pid == 0 && !task->error &&
        WIFSIGNALED(task->status) && WTERMSIG(task->status) == SIGKILL)
        task_doubt(task);
}

void task_runs(struct task *task, const struct task_plan *plan)
{
    task->stage = TASK_ALLOWED;
    task->deadline = plan->run_ms && !task->error ? tool_clock() + plan->run_ms : 0;
}

void task_report(struct task *task, const struct task_plan *plan)
{
    int error = spawn_report(task->report_fd);

    task->report_fd = -1;
    task_told(task, plan, error);
}

void task_told(struct task *task, const struct task_plan *plan, int error)
{
    if (error != TASK_NOT_TOLD && !task->error)
        task->error = -error;
    if (task->stage != TASK_ALLOWED)
        return;
    task_runs(task, plan);
    if (error == TASK_NOT_TOLD) {
        task->stage = TASK_UNTOLD;
        task->deadline = tool_clock() + UNTOLD_MS / UNTOLD_LOOKS;
        untold_settle(task);
    }
}

void task_reap(struct task *task)
{
    if (task->pid > 0 && waitpid(task->pid, &task->status, WNOHANG) == task->pid) {
        task->pid = 0;
        standin_free(task->memory);
        task->memory = NULL;
        task->end = tool_clock();
        untold_settle(task);
    }
}

static bool node_died(const struct task *task)
{
    return WIFSIGNALED(task->status) && WTERMSIG(task->status) == SIGKILL && task->node >= 0 &&
           !task->timed_out && bproc_nodestatus(task->node) == bproc_node_down;
}

static const char *death_text(const struct task *task, bool lost)
{
    return lost ? "Killed, the node is down" : strsignal(WTERMSIG(task->status));
}

const char *task_death(const struct task *task)
{
    return death_text(task, node_died(task));
}

/* A task that was out of time has been told about already. */
static void death_tell(const struct task *task, bool lost)
{
    if (!task->timed_out)
        fprintf(stderr, "%d: %s\n", task->node, death_text(task, lost));
}

int task_result(const struct task *task)
{
    if (WIFSIGNALED(task->status))
        death_tell(task, node_died(task));
    return WIFSIGNALED(task->status) || task->timed_out ? STATUS_SIGNAL
                                                        : WEXITSTATUS(task->status);
}

int task_result_strict(const struct task *task)
{
    bool lost = node_died(task);

    if (task->error)
        return STATUS_LOST;
    if (WIFSIGNALED(task->status))
        death_tell(task, lost);
    if (lost || task->timed_out)
        return lost ? STATUS_LOST : STATUS_LATE;
    return WIFSIGNALED(task->status) ? 128 + WTERMSIG(task->status) : WEXITSTATUS(task->status);
}

void task_abandon(struct task *task, const struct task_plan *plan)
{
    line_leave(task);
    tool_close(&task->report_fd);
    task_close_input(task);
    for (int i = 0; i < 2; i++)
        if (task->out[i].fd >= 0) {
            output_drain(&task->out[i], &plan->style, task->node);
            output_end(&task->out[i], &plan->style, task->node);
        }
}

void task_close_input(struct task *task)
{
    tool_close(&task->input_fd);
}

bool task_untold(const struct task *task)
{
    return task->line || task->report_fd >= 0;
}

bool task_over(const struct task *task)
{
    return task->started && task->pid == 0 && task->ender == 0 && !task_untold(task) &&
           (task->leaves_output || (task->out[0].fd < 0 && task->out[1].fd < 0));
}

bool task_running(const struct task *task)
{
    return task->started && !task_over(task);
}

void task_free(struct task *task)
{
    line_leave(task);
    tool_close(&task->report_fd);
    task_close_input(task);
    output_close(&task->out[0]);
    output_close(&task->out[1]);
    outfile_free(task);
}
