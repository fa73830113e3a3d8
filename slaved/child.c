/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/log.h"
#include "common/reaper.h"
#include "migrate/space/pidfork.h"
#include "slaved/child.h"

#define FD_FIRST 3
#define CHILDREN_MAX 8

static struct {
    pid_t pid;
    child_fn *on_end;
} children[CHILDREN_MAX];

static void child_ended(pid_t pid, int status, void *arg)
{
    char words[64];

    (void)arg;
    if (WIFSTOPPED(status))
        return;
    if (WIFSIGNALED(status))
        snprintf(words, sizeof(words), "killed by signal %d", WTERMSIG(status));
    else
        snprintf(words, sizeof(words), "exit status %d", WEXITSTATUS(status));
    for (int i = 0; i < CHILDREN_MAX; i++)
        if (children[i].pid == pid) {
            children[i].pid = 0;
            children[i].on_end(words);
            return;
        }
}

__attribute__((noreturn))
static void child_become(const char *name, char *const *argv, const int *fds, unsigned nfds)
{
    int from[CHILD_MAX + FD_FIRST], to[CHILD_MAX + FD_FIRST];
    char path[PATH_MAX];

    for (int fd = 0; fd < FD_FIRST; fd++)
        from[fd] = to[fd] = fd;
    for (unsigned i = 0; i < nfds; i++) {
        from[FD_FIRST + i] = fds[i];
        to[FD_FIRST + i] = FD_FIRST + (int)i;
    }
    snprintf(path, sizeof(path), "%s/%s", PKGLIBEXECDIR, name);
    if (daemon_helper_output() < 0)
        _exit(126);
    if (pidfork_place(from, to, FD_FIRST + nfds) < 0)
        _exit(126);
    /* A helper that outlived us would hold the data port against our successor. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    daemon_signals();
    signal(SIGPIPE, SIG_DFL);
    execv(path, argv);
    dprintf(STDERR_FILENO, "slaved: cannot start %s: %s\n", path, strerror(errno));
    _exit(127);
}

pid_t child_start(const char *name, char *const *argv, const int *fds, unsigned nfds,
                  int namespaces, child_fn *on_end)
{
    sigset_t all, before;
    pid_t pid;
    int slot = 0;

    while (slot < CHILDREN_MAX && children[slot].pid)
        slot++;
    if (slot == CHILDREN_MAX || nfds > CHILD_MAX)
        return -EAGAIN;
    /* The loop's handlers must not run in the child, which shares the loop's descriptors. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = (pid_t)syscall(SYS_clone, (unsigned long)namespaces | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        child_become(name, argv, fds, nfds);
    if (pid < 0)
        pid = -errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid > 0) {
        children[slot].pid = pid;
        children[slot].on_end = on_end;
        if (reaper_watch(pid, child_ended, NULL) < 0)
            fatal("cannot watch over %s", name);
    }
    return pid;
}

void child_forget(pid_t pid)
{
    for (int i = 0; i < CHILDREN_MAX; i++)
        if (children[i].pid == pid)
            children[i].pid = 0;
}
