/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bpsh_task.h"

#define REPORT_FD 3
#define STATUS_SIGNAL 255

/* The ends for the child, by the number they get there. */
struct child_ends {
    int fds[4];
};

int task_prepare(struct task_plan *plan)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct rlimit files;
    sigset_t mask;
    int fd;

    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
        ;
    close(fd);
    getrlimit(RLIMIT_NOFILE, &plan->files);
    files = plan->files;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGCHLD, SIG_DFL);
    sigaction(SIGPIPE, &ignore, &plan->pipe_action);
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, &plan->mask);
    fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
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

static int stream_make(enum task_stream kind, int target, int *own, int *child)
{
    if (kind == STREAM_PIPE)
        return pipe_make(own, child, target == STDIN_FILENO);
    *child = kind == STREAM_OWN ? fcntl(target, F_DUPFD_CLOEXEC, REPORT_FD + 1)
                                : open("/dev/null", O_RDWR | O_CLOEXEC);
    return *child < 0 ? -errno : 0;
}

static int ends_make(struct task *task, const struct task_plan *plan, struct child_ends *ends)
{
    int own[3] = { -1, -1, -1 };
    int error = pipe_make(&task->report_fd, &ends->fds[REPORT_FD], false);

    for (int i = 0; i < 3 && !error; i++)
        error = stream_make(plan->streams[i], i, &own[i], &ends->fds[i]);
    task->input_fd = own[0];
    for (int i = 0; i < 2; i++) {
        int failed = own[i + 1] < 0 ? 0 : output_open(&task->out[i], own[i + 1], plan->sinks[i],
                                                      &plan->style);

        error = error ? error : failed;
    }
    return error;
}

/* Puts the ends to 0 to 3 and closes everything else: no other node's pipe may stay open here. */
static int ends_install(const struct child_ends *ends)
{
    int report = fcntl(ends->fds[REPORT_FD], F_DUPFD_CLOEXEC, REPORT_FD + 1);

    for (int i = 0; i < 3; i++)
        if (dup2(ends->fds[i], i) < 0)
            return -1;
    if (report < 0 || dup3(report, REPORT_FD, O_CLOEXEC) < 0)
        return -1;
    return close_range(REPORT_FD + 1, ~0U, 0);
}

static int environment_set(const struct task *task, const struct task_plan *plan)
{
    char rank[16];

    snprintf(rank, sizeof(rank), "%d", task->rank);
    if (setenv("BPROC_RANK", rank, 1) < 0)
        return -1;
    return setenv("BPROC_PROGNAME", plan->command->shell_target ? plan->command->shell_target
                                                                 : plan->command->path, 1);
}

static void child_restore(const struct task_plan *plan)
{
    sigaction(SIGPIPE, &plan->pipe_action, NULL);
    setrlimit(RLIMIT_NOFILE, &plan->files);
    sigprocmask(SIG_SETMASK, &plan->mask, NULL);
}

__attribute__((noreturn))
static void child_run(const struct task *task, const struct task_plan *plan,
                      const struct child_ends *ends)
{
    int flags = plan->streams[0] == STREAM_NULL ? 0 : BPROC_IO_STDIN;

    if (ends_install(ends) == 0 && environment_set(task, plan) == 0) {
        child_restore(plan);
        _bproc_rexec_io(task->node, flags, 0, plan->command->path, plan->command->argv, environ);
    }
    if (write(REPORT_FD, &(int) { errno }, sizeof(int)) < 0)
        _exit(2);
    _exit(1);
}

void task_start(struct task *task, const struct task_plan *plan)
{
    struct child_ends ends = { { -1, -1, -1, -1 } };
    int error;

    task->report_fd = task->input_fd = -1;
    task->out[0] = task->out[1] = OUTPUT_NONE;
    error = ends_make(task, plan, &ends);
    if (!error) {
        task->pid = fork();
        if (task->pid == 0)
            child_run(task, plan, &ends);
        if (task->pid < 0)
            error = -errno;
    }
    for (int i = 0; i < 4; i++)
        fd_close(&ends.fds[i]);
    if (error) {
        task->pid = 0;
        task->error = -error;
        task_free(task);
    }
}

void task_report(struct task *task)
{
    int error;
    ssize_t n = read(task->report_fd, &error, sizeof(error));

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n == (ssize_t)sizeof(error))
        task->error = error ? error : EIO;
    fd_close(&task->report_fd);
}

void task_reap(struct task *task)
{
    if (task->pid > 0 && waitpid(task->pid, &task->status, WNOHANG) == task->pid)
        task->pid = 0;
}

static const char *death_reason(const struct task *task)
{
    if (WTERMSIG(task->status) == SIGKILL && task->node >= 0 &&
        bproc_nodestatus(task->node) == bproc_node_down)
        return "Killed, the node is down";
    return strsignal(WTERMSIG(task->status));
}

int task_result(const struct task *task)
{
    if (!WIFSIGNALED(task->status))
        return WEXITSTATUS(task->status);
    fprintf(stderr, "%d: %s\n", task->node, death_reason(task));
    return STATUS_SIGNAL;
}

void task_close_input(struct task *task)
{
    fd_close(&task->input_fd);
}

bool task_over(const struct task *task)
{
    return task->pid == 0 && task->report_fd < 0 && task->out[0].fd < 0 && task->out[1].fd < 0;
}

void task_free(struct task *task)
{
    fd_close(&task->report_fd);
    task_close_input(task);
    output_close(&task->out[0]);
    output_close(&task->out[1]);
}
