/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that goes from node to node itself and looks at what it has with it, in TAP.
 *
 *     travel ring NODE...        goes to each in turn; numbers, memory, timer, file, pipe, signals
 *     travel children NODE...    leaves a child where it starts, one on the node it goes to first
 *                                and comes from, one on a further node (the last); waits for all
 *     travel visit NODE          forks a child there and goes there as well
 *     travel refuse ERROR NODE [threads|timer]   the call fails so, and nothing has happened
 *     travel hold NODE...        goes there and waits for a signal: exit status 10 + signal
 */
#include "tests/progs/remote.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#define PIECE (1 << 20)

static volatile sig_atomic_t alarms, told;

static void on_signal(int signo)
{
    if (signo == SIGALRM)
        alarms++;
    else
        told = signo;
}

static void signals_catch(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void timer_set(long usec)
{
    struct itimerval timer = { { 0, usec }, { 0, usec } };

    setitimer(ITIMER_REAL, &timer, NULL);
}

static int travel(const char *node)
{
    int result;

    fflush(stdout);
    result = bproc_move(atoi(node));
    ok(result == 0, "to %s", node);
    if (result < 0)
        printf("# %s\n", bproc_strerror(errno));
    return result;
}

static void ring(char **nodes)
{
    int pid = getpid(), parent = getppid(), file = open("/dev/zero", O_RDONLY), ends[2], before;
    unsigned char *memory = malloc(PIECE);
    char byte = 0;

    memset(memory, 0x5a, PIECE);
    signals_catch();
    timer_set(50000);
    if (pipe(ends) < 0)
        exit(1);
    for (char **at = nodes; *at; at++) {
        if (travel(*at) < 0)
            return;
        is_int(bproc_currnode(), atoi(*at), "it is on %s", *at);
        is_int(getpid(), pid, "with its number");
        is_int(getppid(), parent, "and its parent");
        ok(memory[0] == 0x5a && memory[PIECE - 1] == 0x5a, "with its memory");
        ok(read(file, &byte, 1) == 1 && byte == 0, "and its open file");
        ok(write(ends[1], "y", 1) == 1 && read(ends[0], &byte, 1) == 1 && byte == 'y',
           "and its pipe");
        told = 0;
        ok(raise(SIGUSR1) == 0 && told == SIGUSR1, "libc knows its number");
        before = alarms;
        ok(eventually(alarms > before), "its timer goes on");
    }
    ok(bproc_move(BPROC_NODE_SELF) == 0, "to where it is");
    timer_set(0);
}

/* A child ends when it is told to; one that nobody tells, later. */
static void child_run(int status)
{
    struct timespec limit = { 60, 0 };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    _exit(sigtimedwait(&set, NULL, &limit) == SIGUSR1 ? status : 99);
}

/* What it is told waits for it. */
static void children_prepare(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static int child_here(int status)
{
    int pid;

    children_prepare();
    pid = fork();
    if (pid == 0)
        child_run(status);
    return pid;
}

static int child_there(int node, int status)
{
    int pid;

    children_prepare();
    pid = remote_fork(node);
    if (pid == 0)
        child_run(status);
    return pid;
}

static void child_wait(int pid, int want, const char *name)
{
    int status = 0;

    ok(waitpid(pid, &status, 0) == pid, "the child %s can be waited for", name);
    is_int(WIFEXITED(status) ? WEXITSTATUS(status) : -1, want, "and its status is its own");
}

static void child_end(int pid, int want, const char *name)
{
    kill(pid, SIGUSR1);
    child_wait(pid, want, name);
}

static void children(char **nodes)
{
    int count = 0, here, ended, there, stopped, status = 0;
    siginfo_t info;

    while (nodes[count])
        count++;
    here = child_here(21);
    ended = fork();
    if (ended == 0)
        _exit(22);
    stopped = child_here(23);
    /* It has ended, and nobody has waited for it. */
    waitid(P_PID, (id_t)ended, &info, WEXITED | WNOWAIT);
    there = child_there(atoi(nodes[count - 1]), 24);
    for (int i = 0; i < count - 1; i++)
        if (travel(nodes[i]) < 0)
            return;
    ok(kill(stopped, SIGSTOP) == 0 && waitpid(stopped, &status, WUNTRACED) == stopped &&
       WIFSTOPPED(status), "a child that stayed can be stopped");
    ok(kill(stopped, SIGKILL) == 0 && waitpid(stopped, &status, 0) == stopped &&
       WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "and killed");
    child_wait(ended, 22, "that had ended before");
    child_end(here, 21, "that stayed at the start");
    child_end(there, 24, "on another node");
    ok(waitpid(-1, &status, WNOHANG) < 0 && errno == ECHILD, "there are no others");
    if (count < 2)
        return;
    there = child_there(atoi(nodes[count - 1]), 25);
    child_end(there, 25, "forked from there");
}

static void visit(const char *node)
{
    int there = child_there(atoi(node), 26), status;

    if (travel(node) < 0)
        return;
    child_end(there, 26, "that lives where its parent went");
    ok(waitpid(-1, &status, WNOHANG) < 0 && errno == ECHILD, "there are no others");
}

/* As soon as it has arrived: the child's end of the pipe closes when it is really dead. */
static void killed(const char *node)
{
    int end[2], child, status;
    char byte;

    if (pipe(end) < 0)
        exit(1);
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    close(end[1]);
    if (travel(node) < 0)
        return;
    ok(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status),
       "a child that stayed can be killed at once");
    alarm(20);
    is_int(read(end[0], &byte, 1), 0, "and is dead then");
}

static void *thread_wait(void *arg)
{
    pause();
    return arg;
}

static int error_of(const char *name)
{
    static const struct { const char *name; int error; } names[] = {
        { "BE_INVALIDNODE", BE_INVALIDNODE }, { "BE_NODEDOWN", BE_NODEDOWN }, { "EPERM", EPERM },
        { "EOPNOTSUPP", EOPNOTSUPP }, { "EEXIST", EEXIST }, { "EIO", EIO }
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i].name, name) == 0)
            return names[i].error;
    return atoi(name);
}

static void refuse(const char *error, int node, const char *what)
{
    int pid = getpid(), where = bproc_currnode(), child = child_here(31), status;
    struct sigevent event = { .sigev_notify = SIGEV_NONE };
    pthread_t thread;
    timer_t timer;

    if (what && strcmp(what, "threads") == 0)
        pthread_create(&thread, NULL, thread_wait, NULL);
    if (what && strcmp(what, "timer") == 0)
        timer_create(CLOCK_MONOTONIC, &event, &timer);
    ok(bproc_move(node) == -1, "the move fails");
    is_int(errno, error_of(error), "with %s", error);
    ok(getpid() == pid && bproc_currnode() == where, "nothing has happened to it");
    kill(child, SIGUSR1);
    ok(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 31, "nor to its child");
    ok(waitpid(-1, &status, WNOHANG) < 0 && errno == ECHILD, "no copy is left");
}

/* Blocked signals that wait go along: one of kill(2), one with a value, in this order. */
static void waiting(char **nodes)
{
    union sigval value = { .sival_int = 4711 };
    siginfo_t info;
    sigset_t set, now;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR1);
    sigqueue(getpid(), SIGRTMIN, value);
    for (; *nodes; nodes++)
        if (travel(*nodes) < 0)
            return;
    sigpending(&now);
    ok(sigismember(&now, SIGUSR1) && sigismember(&now, SIGRTMIN), "they still wait");
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    ok(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_value.sival_int == 4711,
       "with their values");
}

static int hold(char **nodes)
{
    signals_catch();
    for (; *nodes; nodes++)
        if (bproc_move(atoi(*nodes)) < 0)
            return 1;
    printf("# held\n");
    fflush(stdout);
    while (!told)
        usleep(10000);
    return 10 + told;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 2 && strcmp(argv[1], "ring") == 0)
        ring(argv + 2);
    else if (argc > 2 && strcmp(argv[1], "children") == 0)
        children(argv + 2);
    else if (argc > 2 && strcmp(argv[1], "visit") == 0)
        visit(argv[2]);
    else if (argc > 2 && strcmp(argv[1], "killed") == 0)
        killed(argv[2]);
    else if (argc > 3 && strcmp(argv[1], "refuse") == 0)
        refuse(argv[2], atoi(argv[3]), argv[4]);
    else if (argc > 2 && strcmp(argv[1], "waiting") == 0)
        waiting(argv + 2);
    else if (argc > 2 && strcmp(argv[1], "hold") == 0)
        return hold(argv + 2);
    return done_testing();
}
