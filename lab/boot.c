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
#include <unistd.h>

enum { BOOT_NAMESPACES = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC };

static _Noreturn void init_reap(void)
{
    sigset_t all;
    int sig;

    sigfillset(&all);
    for (;;) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        sigwait(&all, &sig);
    }
}

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

int boot_run(const char *name, const struct view *view)
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
