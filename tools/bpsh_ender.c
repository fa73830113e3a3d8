/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/bproc.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bpsh_ender.h"

#define PROGRAM PKGLIBEXECDIR "/bproc-endtree"

/* In a group of its own: the keys that end the tasks are not meant for it. */
__attribute__((noreturn))
static void child_run(const struct task *task, const struct task_plan *plan, int grace)
{
    char pid[16], seconds[16], name[] = "bproc-endtree";
    char *argv[] = { name, pid, seconds, NULL };
    int null = open("/dev/null", O_RDWR);

    snprintf(pid, sizeof(pid), "%d", (int)task->pid);
    snprintf(seconds, sizeof(seconds), "%d", grace);
    setpgid(0, 0);
    for (int i = 0; i < 3; i++)
        dup2(null, i);
    syscall(SYS_close_range, 3U, ~0U, 0U);
    if (chdir("/") == 0) {
        sigprocmask(SIG_SETMASK, &plan->mask, NULL);
        bproc_rexec(task->node, PROGRAM, argv, environ);
    }
    _exit(1);
}

void ender_start(struct task *task, const struct task_plan *plan, int grace)
{
    pid_t pid = fork();

    if (pid == 0)
        child_run(task, plan, grace);
    if (task->ender > 0) {
        kill(task->ender, SIGKILL);
        waitpid(task->ender, NULL, 0);
    }
    task->ender = pid < 0 ? 0 : pid;
    if (pid < 0 && task->pid > 0)
        kill(task->pid, grace > 0 ? SIGTERM : SIGKILL);
}

void ender_reap(struct task *task)
{
    int status;

    if (task->ender == 0 || waitpid(task->ender, &status, WNOHANG) != task->ender)
        return;
    task->ender = 0;
    if ((!WIFEXITED(status) || WEXITSTATUS(status) != 0) && task->pid > 0)
        kill(task->pid, SIGTERM);
}
