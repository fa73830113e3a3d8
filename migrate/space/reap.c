/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "migrate/space/reap.h"
#include "proto/rawcall.h"

#define STATUS_CORE 0x80
#define STATUS_CONTINUED 0xffff

static int status_from(const siginfo_t *info)
{
    switch (info->si_code) {
    case CLD_EXITED:
        return (info->si_status & 0xff) << 8;
    case CLD_DUMPED:
        return info->si_status | STATUS_CORE;
    case CLD_STOPPED:
    case CLD_TRAPPED:
        return info->si_status << 8 | 0x7f;
    case CLD_CONTINUED:
        return STATUS_CONTINUED;
    default:
        return info->si_status;
    }
}

static bproc_proc event_from(const siginfo_t *info)
{
    switch (info->si_code) {
    case CLD_STOPPED:
    case CLD_TRAPPED:
        return P_SPACE_STOPPED;
    case CLD_CONTINUED:
        return P_SPACE_CONTINUED;
    default:
        return P_SPACE_EXITED;
    }
}

static long children_look(siginfo_t *info, int wanted)
{
    long error;

    do
        error = raw_call(SYS_waitid, P_ALL, 0, (long)info, wanted | WNOHANG | __WALL, 0, 0);
    while (error == -EINTR);
    return error;
}

bool reap_next(struct reaped *reaped)
{
    siginfo_t info = { .si_pid = 0 };

    if (children_look(&info, WEXITED | WSTOPPED | WCONTINUED) < 0 || info.si_pid == 0)
        return false;
    *reaped = (struct reaped){ event_from(&info), info.si_pid, status_from(&info) };
    return true;
}

bool reap_was_last(void)
{
    siginfo_t info;

    return children_look(&info, WEXITED | WNOWAIT) == -ECHILD;
}

void reap_all(reap_fn *report)
{
    struct reaped reaped;

    while (reap_next(&reaped))
        report(reaped.event, reaped.pid, reaped.status);
}

int reap_status(int pidfd)
{
    siginfo_t info = { .si_pid = 0 };

    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | __WALL) < 0 || info.si_pid == 0)
        return 0;
    return status_from(&info);
}

int reap_signals(void)
{
    sigset_t child;
    int fd;

    for (int signo = 1; signo < NSIG; signo++)
        signal(signo, SIG_DFL);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_SETMASK, &child, NULL);
    fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}
