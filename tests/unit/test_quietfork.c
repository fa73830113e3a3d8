/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fork whose child nobody hears of until it executes a program. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libbproc/quietfork.h"
#include "tests/unit/tap.h"

#define FORKERS 4
#define FORKS 50

static volatile sig_atomic_t sigchlds, sigsyss;
static char order[8];

static void on_signal(int signo)
{
    if (signo == SIGCHLD)
        sigchlds++;
    else
        sigsyss++;
}

static void on_prepare(void)
{
    order[strlen(order)] = 'p';
}

static void on_parent(void)
{
    order[strlen(order)] = 'f';
}

static void on_child(void)
{
    order[strlen(order)] = 'c';
}

static int quiet_wait(pid_t pid)
{
    int status = -1;

    return waitpid(pid, &status, __WCLONE) == pid ? status : -1;
}

static void child_is_quiet(void)
{
    pid_t pid = quietfork();
    siginfo_t info;

    if (pid == 0)
        _exit(5);
    if (!ok(pid > 0, "a child"))
        return;
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | __WALL);
    ok(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "that a plain wait does not see");
    is_int(quiet_wait(pid), 5 << 8, "but a special one");
    is_int(sigchlds, 0, "no SIGCHLD came");
}

static void exec_makes_ordinary(void)
{
    pid_t pid = quietfork();
    int status = -1;

    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "exit 6", (char *)NULL);
        _exit(127);
    }
    while (waitpid(pid, &status, 0) < 0 && (errno == ECHILD || errno == EINTR))
        usleep(1000);
    is_int(status, 6 << 8, "after exec it is an ordinary child");
    is_int(sigchlds, 1, "with a SIGCHLD");
    sigchlds = 0;
}

static void undo_leaves_nothing(void)
{
    pid_t pid = quietfork();

    if (pid == 0)
        for (;;)
            pause();
    errno = EDOM;
    quietfork_undo(pid);
    is_int(errno, EDOM, "undo keeps errno");
    ok(kill(pid, 0) < 0 && errno == ESRCH, "and leaves no process");
    is_int(sigchlds, 0, "and no SIGCHLD");
}

/* All of it has a value: the kernel fills in no more than it knows. */
static sigset_t mask_now(void)
{
    sigset_t mask;

    memset(&mask, 0, sizeof(mask));
    sigprocmask(SIG_BLOCK, NULL, &mask);
    return mask;
}

static int child_look(const sigset_t *want)
{
    sigset_t mask = mask_now();
    struct sigaction action;

    sigaction(SIGSYS, NULL, &action);
    raise(SIGSYS);
    free(malloc(100000));
    if (strcmp(order, "pc") != 0)
        return 1;
    if (memcmp(&mask, want, sizeof(mask)) != 0)
        return 2;
    if (action.sa_handler != on_signal || sigsyss != 1)
        return 3;
    /* A system call that is still dispatched would not survive another mask. */
    sigfillset(&mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    return getpid() == syscall(SYS_gettid) ? 0 : 4;
}

static void libc_is_sound(void)
{
    sigset_t mask, after;
    pid_t pid;

    memset(&mask, 0, sizeof(mask));
    sigaddset(&mask, SIGUSR2);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    pid = quietfork();
    if (pid == 0)
        _exit(child_look(&mask));
    is_int(quiet_wait(pid), 0, "handlers of atfork, signals and memory are sound in the child");
    is_str(order, "pf", "and in the parent");
    after = mask_now();
    ok(memcmp(&mask, &after, sizeof(mask)) == 0, "whose signal mask is as before");
    raise(SIGSYS);
    is_int(sigsyss, 1, "and whose handler of SIGSYS is, too");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void lock_take(void)
{
    pthread_mutex_lock(&lock);
}

static void lock_give(void)
{
    pthread_mutex_unlock(&lock);
}

/* Every other thread forks in the plain way; its children have a clean SIGSYS. */
static void *forker(void *arg)
{
    intptr_t plain = (intptr_t)arg % 2, failed = 0;

    for (int i = 0; i < FORKS; i++) {
        struct sigaction action;
        pid_t pid = plain ? fork() : quietfork();
        int status = -1;

        if (pid == 0) {
            sigaction(SIGSYS, NULL, &action);
            _exit(action.sa_handler == on_signal ? i : 255);
        }
        if (plain)
            while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                continue;
        else
            status = quiet_wait(pid);
        failed += status != i << 8;
        free(malloc(1000));
    }
    return (void *)failed;
}

static void threads_fork(void)
{
    pthread_t threads[FORKERS];
    intptr_t failed = 0;
    void *result;

    for (int i = 0; i < FORKERS; i++)
        pthread_create(&threads[i], NULL, forker, (void *)(intptr_t)i);
    for (int i = 0; i < FORKERS; i++) {
        pthread_join(threads[i], &result);
        failed += (intptr_t)result;
    }
    is_int(failed, 0, "%d threads fork %d times each, quietly and plainly", FORKERS, FORKS);
    ok(sigchlds <= FORKERS / 2 * FORKS, "without a SIGCHLD for the quiet ones");
    sigchlds = 0;
}

int main(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    sigaction(SIGCHLD, &action, NULL);
    sigaction(SIGSYS, &action, NULL);
    child_is_quiet();
    exec_makes_ordinary();
    undo_leaves_nothing();
    pthread_atfork(lock_take, lock_give, lock_give);
    threads_fork();
    pthread_atfork(on_prepare, on_parent, on_child);
    libc_is_sound();
    return done_testing();
}
