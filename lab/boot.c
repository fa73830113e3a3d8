/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "config.h"

#include "lab/boot.h"
#include "lab/die.h"
#include "lab/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BOOT_NAMESPACES = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC };

enum {
    INIT_AGAIN = 3, /* exit status of an init whose node is to be booted again */
    STOP_ROUNDS = 100,
    STOP_PATIENCE_MS = 20,
};

/* As at the end of a machine: what runs is asked to end, and killed with us if it does not. */
static _Noreturn void init_end(int status)
{
    const struct timespec patience = {.tv_nsec = STOP_PATIENCE_MS * 1000000L};
    int round;

    kill(-1, SIGTERM);
    for (round = 0; round < STOP_ROUNDS; round++) {
        pid_t pid;

        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            continue;
        if (pid < 0)
            break;
        nanosleep(&patience, NULL);
    }
    _exit(status);
}

static _Noreturn void init_reap(void)
{
    sigset_t all;
    int sig;

    sigfillset(&all);
    for (;;) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        sigwait(&all, &sig);
        if (sig == SIGPWR)
            init_end(0);
        else if (sig == SIGINT)
            init_end(INIT_AGAIN);
    }
}

/* Of all that the caller has open, the lab's lock among it. */
static void init_detach(void)
{
    int null = open("/dev/null", O_RDWR);

    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        die(1, "cannot open /dev/null in node: %s", strerror(errno));
    close_range(3, ~0U, 0);
}

static _Noreturn void init_run(const char *name, const struct view *view, int gate, int ready)
{
    sigset_t all;
    char go;

    if (read(gate, &go, 1) != 1)
        _exit(1);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "bplab-init");
    setsid();
    if (sethostname(name, strlen(name)) < 0)
        die(1, "cannot set host name %s: %s", name, strerror(errno));
    view_enter(view);
    if (write(ready, "", 1) != 1)
        _exit(1);
    init_detach();
    init_reap();
}

static int namespaces_boot(const char *name, const struct view *view)
{
    int gate[2], ready[2], error;
    pid_t pid;
    char up;

    if (pipe2(gate, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0)
        die(1, "cannot boot node %s: %s", name, strerror(errno));
    if (unshare(BOOT_NAMESPACES) < 0)
        die(1, "cannot make namespaces of node %s: %s", name, strerror(errno));
    pid = fork();
    if (pid < 0)
        die(1, "cannot boot node %s: %s", name, strerror(errno));
    if (pid == 0) {
        close(gate[1]);
        close(ready[0]);
        init_run(name, view, gate[0], ready[1]);
    }
    close(gate[0]);
    close(ready[1]);
    error = pidfile_write(view->nodedir, pid);
    if (error < 0)
        die(1, "cannot record init of node %s: %s", name, strerror(-error));
    if (write(gate[1], "", 1) != 1 || read(ready[0], &up, 1) != 1) {
        waitpid(pid, NULL, 0);
        return 1;
    }
    return 0;
}

/* The kernel reports reboot(2) in a pid namespace as the init's death by SIGHUP. */
static _Noreturn void supply_wait(char *const *again)
{
    int status;

    while (waitpid(-1, &status, 0) < 0)
        if (errno != EINTR)
            _exit(1);
    if (again[0] != NULL
        && ((WIFEXITED(status) && WEXITSTATUS(status) == INIT_AGAIN)
            || (WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP)))
        execv(again[0], again);
    _exit(0);
}

/* Stays in the host's namespaces; the init becomes its child when the one between has ended. */
static _Noreturn void supply_run(const char *name, const struct view *view, char *const *again,
                                 int done)
{
    int status;
    pid_t pid;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid = fork();
    if (pid < 0)
        die(1, "cannot boot node %s: %s", name, strerror(errno));
    if (pid == 0)
        _exit(namespaces_boot(name, view));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (status != 0 || write(done, "", 1) != 1)
        _exit(1);
    setsid();
    prctl(PR_SET_NAME, "bplab-supply");
    init_detach();
    if (chdir("/") < 0)
        _exit(1);
    supply_wait(again);
}

int boot_run(const char *name, const struct view *view, char *const *again)
{
    int done[2];
    pid_t pid;
    char up;

    if (pipe2(done, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        die(1, "cannot boot node %s: %s", name, strerror(errno));
    if (pid == 0)
        supply_run(name, view, again, done[1]);
    close(done[1]);
    return read(done[0], &up, 1) == 1 ? 0 : 1;
}
