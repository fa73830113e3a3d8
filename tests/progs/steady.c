/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steady NODE...: a child on each node that says "PID tick" ten times a second, and a parent that
 * says what it learns of them: "PID child NODE", "PID stopped SIGNAL", "PID continued",
 * "PID exited STATUS", "PID killed SIGNAL". To SIGUSR1 a child says "PID usr1 VALUE", to SIGUSR2 it
 * exits with 5; it exits with 6 when its node has a file /run/leave. One that cannot be made is
 * "ERRNO refused NODE". The parent ends with its last child.
 */
#include "config.h"

#include <signal.h>

#include "tests/progs/prog.h"

#define TICK_NS 100000000
#define LIFE_SECONDS 300

__attribute__((format(printf, 1, 2)))
static void say(const char *fmt, ...)
{
    char text[128];
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    write_all(STDOUT_FILENO, text, (size_t)len);
}

static void usr1_tell(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    say("%d usr1 %d\n", (int)getpid(), info->si_value.sival_int);
}

static void usr2_exit(int signo)
{
    (void)signo;
    _exit(5);
}

__attribute__((noreturn))
static void child_run(void)
{
    const struct timespec tick = { 0, TICK_NS };
    struct sigaction usr1 = { .sa_sigaction = usr1_tell, .sa_flags = SA_SIGINFO };
    double end = seconds_now() + LIFE_SECONDS;

    sigaction(SIGUSR1, &usr1, NULL);
    signal(SIGUSR2, usr2_exit);
    while (seconds_now() < end) {
        say("%d tick\n", (int)getpid());
        if (access("/run/leave", F_OK) == 0)
            _exit(6);
        nanosleep(&tick, NULL);
    }
    _exit(8);
}

static void change_tell(pid_t pid, int status)
{
    if (WIFSTOPPED(status))
        say("%d stopped %d\n", (int)pid, WSTOPSIG(status));
    else if (WIFCONTINUED(status))
        say("%d continued\n", (int)pid);
    else if (WIFEXITED(status))
        say("%d exited %d\n", (int)pid, WEXITSTATUS(status));
    else
        say("%d killed %d\n", (int)pid, WTERMSIG(status));
}

int main(int argc, char **argv)
{
    pid_t pid;
    int status;

    for (int i = 1; i < argc; i++) {
        pid = bproc_rfork(atoi(argv[i]));
        if (pid == 0)
            child_run();
        if (pid > 0)
            say("%d child %s\n", (int)pid, argv[i]);
        else
            say("%d refused %s\n", errno, argv[i]);
    }
    while ((pid = waitpid(-1, &status, WUNTRACED | WCONTINUED)) > 0)
        change_tell(pid, status);
    return 0;
}
