/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "migrate/memoryhold.h"

#define ONE_THREAD 3                    /* links of its folder of threads */

/* Whose the kernel says its memory is: root's, if it has more than its owner's rights. */
static int owner_check(pid_t number, uid_t uid)
{
    char path[40];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%d/mem", (int)number);
    if (stat(path, &st) < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    if (st.st_uid != uid)
        return -EPERM;
    /* Another thread, which would go on, could execute a program under that number. */
    snprintf(path, sizeof(path), "/proc/%d/task", (int)number);
    if (stat(path, &st) < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    return st.st_nlink == ONE_THREAD ? 0 : -EPERM;
}

/* Signals that come before the stop are kept for it. */
static int stop_wait(pid_t pid)
{
    for (;;) {
        int status;

        if (waitpid(pid, &status, __WALL) < 0) {
            if (errno == EINTR)
                continue;
            return -ESRCH;
        }
        if (!WIFSTOPPED(status))
            return -ESRCH;
        if (status >> 16 == PTRACE_EVENT_STOP)
            return 0;
        if (ptrace(PTRACE_CONT, pid, NULL, (void *)(intptr_t)WSTOPSIG(status)) < 0)
            return -errno;
    }
}

int memoryhold_take(pid_t pid, pid_t number, uid_t uid, bool ends_with_us)
{
    intptr_t options = ends_with_us ? PTRACE_O_EXITKILL : 0;
    int error;

    if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) < 0)
        return -errno;
    error = ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 ? -errno : stop_wait(pid);
    if (!error)
        error = owner_check(number, uid);
    if (error)
        memoryhold_release(pid);
    return error;
}

void memoryhold_release(pid_t pid)
{
    ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

/* Its number is its own until we have seen its end. */
void memoryhold_end(pid_t pid)
{
    int status = 0;

    kill(pid, SIGKILL);
    while ((waitpid(pid, &status, __WALL) < 0 && errno == EINTR) || WIFSTOPPED(status))
        status = 0;
}
