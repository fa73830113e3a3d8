/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "config.h"

#include "lab/relay.h"

#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const int relayed[] = {
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, SIGCHLD,
};

void relay_set(sigset_t *set)
{
    size_t i;

    sigemptyset(set);
    for (i = 0; i < sizeof(relayed) / sizeof(relayed[0]); i++)
        sigaddset(set, relayed[i]);
}

void relay_block(sigset_t *before)
{
    sigset_t set;

    relay_set(&set);
    sigprocmask(SIG_BLOCK, &set, before);
}

int relay_reap(pid_t child, int *status)
{
    while (waitpid(child, status, WNOHANG | WUNTRACED) == child) {
        if (!WIFSTOPPED(*status))
            return 1;
        raise(SIGSTOP);
    }
    return 0;
}

int relay_wait(pid_t child, pid_t target)
{
    int sig, status;
    sigset_t set;

    relay_set(&set);
    for (;;) {
        sigwait(&set, &sig);
        if (sig != SIGCHLD)
            kill(target, sig);
        else if (relay_reap(child, &status))
            return status;
    }
}

_Noreturn void relay_end_as(int status)
{
    sigset_t none;

    if (WIFSIGNALED(status)) {
        /* With the dumpable flag off there is no core file, wherever cores are sent. */
        prctl(PR_SET_DUMPABLE, 0);
        signal(WTERMSIG(status), SIG_DFL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        raise(WTERMSIG(status));
        _exit(128 + WTERMSIG(status));
    }
    _exit(WEXITSTATUS(status));
}
