/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tools/bpsh_deadline.h"
#include "tools/bpsh_signal.h"
#include "tools/tool.h"

/* One key that comes twice, from the terminal and from who passes it on, is no second one. */
#define SECOND_MIN_MS 50
#define SECOND_MAX_MS 1000

static void all_forward(const struct run *run, int signo)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->tasks[i].pid > 0)
            kill(run->tasks[i].pid, signo);
}

static bool is_second(const struct run *run, int signo)
{
    int64_t passed = tool_clock() - run->interrupt_time;

    return signo == SIGINT && run->interrupted == SIGINT && passed >= SECOND_MIN_MS &&
           passed <= SECOND_MAX_MS;
}

/*
 * Did the terminal send it to the tasks, too, which are in the tool's group? When it is gone it
 * tells the leader of its session alone.
 */
static bool is_everybodys(const struct signalfd_siginfo *info)
{
    return info->ssi_code == SI_KERNEL && (info->ssi_signo != SIGHUP || getsid(0) != getpid());
}

bool signal_take(struct run *run)
{
    struct signalfd_siginfo info;
    int signo;

    if (read(run->child_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return false;
    signo = (int)info.ssi_signo;
    if (signo == SIGCHLD)
        return true;
    if (signo == SIGUSR1) {
        run->asked = true;
        return false;
    }
    if (is_second(run, signo)) {
        deadline_end_all(run, 0);
        return false;
    }
    /* That one need not be meant to end anything. */
    if (signo == SIGUSR2) {
        run->passed_usr2 = true;
    } else {
        run->interrupted = signo;
        run->interrupt_time = tool_clock();
    }
    if (!is_everybodys(&info))
        all_forward(run, signo);
    return false;
}
