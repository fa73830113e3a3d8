/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * beside: has a child that shares its memory and executes nothing. Says "parent PID" and "child
 * PID", waits for the child, and says "status STATUS" as waitpid(2) has it.
 */
#include "config.h"

#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static alignas(16) char stack[65536];

static int child_run(void *arg)
{
    (void)arg;
    sleep(40);
    return 0;
}

int main(void)
{
    pid_t pid = clone(child_run, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
    int status;

    if (pid < 0) {
        perror("clone");
        return 1;
    }
    printf("parent %d\nchild %d\n", getpid(), pid);
    fflush(stdout);
    if (waitpid(pid, &status, 0) != pid) {
        perror("waitpid");
        return 1;
    }
    printf("status %d\n", status);
    return 0;
}
