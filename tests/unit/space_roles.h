/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the test program does as a job of the space: job_run() tells by the name. */
#ifndef TESTS_SPACE_ROLES_H
#define TESTS_SPACE_ROLES_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FD_FAR 77

static int job_facts(void)
{
    char cwd[256];
    gid_t groups[8];
    sigset_t mask;
    struct rlimit limit;
    int count = getgroups(8, groups);

    sigprocmask(SIG_SETMASK, NULL, &mask);
    getrlimit(RLIMIT_MSGQUEUE, &limit);
    printf("pid=%d ppid=%d pgid=%d sid=%d uid=%d gid=%d ngroups=%d cwd=%s umask=%03o usr1=%d "
           "queue=%d nice=%d env=%s far=%d four=%d", (int)getpid(), (int)getppid(),
           (int)getpgrp(), (int)getsid(0), (int)getuid(), (int)getegid(), count,
           getcwd(cwd, sizeof(cwd)), umask(0),
           sigismember(&mask, SIGUSR1), (int)limit.rlim_cur, getpriority(PRIO_PROCESS, 0),
           getenv("COLOUR"), fcntl(FD_FAR, F_GETFD), fcntl(4, F_GETFD));
    return 7;
}

static int job_sigwait(void)
{
    sigset_t set;
    siginfo_t info;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    while (sigwaitinfo(&set, &info) < 0)
        ;
    printf("code=%d pid=%d uid=%d value=%ld", info.si_code, (int)info.si_pid, (int)info.si_uid,
           (long)info.si_value.sival_ptr);
    return 0;
}

/* Says who its parent is, and again after each line it reads. */
static int job_parents(void)
{
    char line[16];

    do {
        dprintf(STDOUT_FILENO, "%d\n", (int)getppid());
    } while (read(STDIN_FILENO, line, sizeof(line)) > 0);
    return 0;
}

static int job_harm(int signo)
{
    kill(getppid(), signo);
    while (signo == SIGKILL && getppid() != 1)
        usleep(1000);
    if (signo == SIGKILL)
        printf("%d", (int)getppid());
    else
        printf("stopped");
    return 3;
}

/* Is gone as soon as its parent is, when it is told to. */
static int job_last_word(void)
{
    char line[16];

    if (read(STDIN_FILENO, line, sizeof(line)) > 0)
        kill(getppid(), SIGKILL);
    return 4;
}

/* As it is told to. */
static int job_wake(void)
{
    char line[16];

    if (read(STDIN_FILENO, line, sizeof(line)) > 0)
        kill(getppid(), SIGCONT);
    return 6;
}

/* Until it is told to end, as its child does then. */
static int job_fork(void)
{
    char line[16];
    pid_t child;

    dprintf(STDOUT_FILENO, "%d\n", (int)getppid());
    child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    if (read(STDIN_FILENO, line, sizeof(line)) >= 0)
        kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return 8;
}

static int job_look(void)
{
    char path[32], state = '?';
    FILE *stat;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)getppid());
    stat = fopen(path, "re");
    if (stat && fscanf(stat, "%*d (%*[^)]) %c", &state) == 1)
        printf(state == 'T' ? "stands still" : "goes on");
    return 5;
}

static int job_run(const char *name)
{
    int status = strcmp(name, "facts") == 0 ? job_facts() :
                 strcmp(name, "sigwait") == 0 ? job_sigwait() :
                 strcmp(name, "parents") == 0 ? job_parents() :
                 strcmp(name, "kill") == 0 ? job_harm(SIGKILL) :
                 strcmp(name, "stop") == 0 ? job_harm(SIGSTOP) :
                 strcmp(name, "last word") == 0 ? job_last_word() :
                 strcmp(name, "wake") == 0 ? job_wake() :
                 strcmp(name, "fork") == 0 ? job_fork() :
                 strcmp(name, "look") == 0 ? job_look() : 99;

    fflush(stdout);
    return status;
}

#endif
