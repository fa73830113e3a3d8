/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tools/bpsh_outfile.h"
#include "tools/bpsh_plain.h"

/* Can a write to it fail otherwise than by the lack of a reader? */
static bool may_fail(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return false;
    return (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY || S_ISREG(st.st_mode) ||
           S_ISBLK(st.st_mode) || (S_ISCHR(st.st_mode) && st.st_rdev != makedev(1, 3) &&
                                    !isatty(fd));
}

static bool same_file(int a, int b)
{
    struct stat left, right;

    return fstat(a, &left) == 0 && fstat(b, &right) == 0 && left.st_dev == right.st_dev &&
           left.st_ino == right.st_ino;
}

void plain_choose(struct task_plan *plan)
{
    for (int i = STDOUT_FILENO; i <= STDERR_FILENO; i++)
        if (plan->streams[i] == STREAM_OWN && may_fail(i)) {
            plan->streams[i] = STREAM_PIPE;
            plan->leaves_output = true;
        }
    /* One pipe keeps the order of what is written to one file. */
    if (plan->leaves_output && plan->streams[STDOUT_FILENO] == STREAM_PIPE &&
        plan->streams[STDERR_FILENO] == STREAM_PIPE && same_file(STDOUT_FILENO, STDERR_FILENO))
        plan->streams[STDERR_FILENO] = STREAM_JOINED;
}

/* What cannot be passed on is at its end, as whoever writes to it shall know. */
static void failed_close(struct task *task)
{
    for (int i = 0; i < 2; i++)
        if (output_failed(&task->out[i]))
            output_close(&task->out[i]);
}

/* Waits for what comes. False when nothing more can. */
static bool outputs_read(struct run *run, struct task *task)
{
    struct pollfd fds[2] = { { .fd = task->out[0].fd, .events = POLLIN },
                             { .fd = task->out[1].fd, .events = POLLIN } };

    if ((fds[0].fd < 0 && fds[1].fd < 0) || poll(fds, 2, -1) <= 0)
        return false;
    for (int i = 0; i < 2; i++)
        if (fds[i].revents)
            output_read(&task->out[i], &run->plan->style, task->node);
    failed_close(task);
    return true;
}

/* What the command itself has written is there when it has ended. */
static void outputs_drain(struct run *run, struct task *task)
{
    for (int i = 0; i < 2; i++)
        output_drain(&task->out[i], &run->plan->style, task->node);
    failed_close(task);
}

/* Keeps nothing open but the outputs: others may wait for the end of the rest. */
__attribute__((noreturn))
static void child_carry(struct run *run, struct task *task)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (size_t i = 0; i < run->count; i++)
        if (&run->tasks[i] != task)
            task_free(&run->tasks[i]);
    task_close_input(task);
    dup2(null, STDIN_FILENO);
    for (int i = 0; i < 2; i++)
        if (task->out[i].fd < 0 || task->files[i])
            dup2(null, i + STDOUT_FILENO);
    sigprocmask(SIG_SETMASK, &run->plan->mask, NULL);
    while (outputs_read(run, task))
        ;
    _exit(0);
}

void plain_leave(struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        struct task *task = &run->tasks[i];
        pid_t pid;

        outputs_drain(run, task);
        outfile_settle(task);
        if (task->out[0].fd < 0 && task->out[1].fd < 0)
            continue;
        pid = fork();
        if (pid == 0)
            child_carry(run, task);
        if (pid < 0)
            warn("cannot wait for more output of node %d", task->node);
    }
}
