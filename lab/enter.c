/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "config.h"

#include "lab/enter.h"
#include "lab/command.h"
#include "lab/die.h"
#include "lab/pidfile.h"
#include "lab/pty.h"
#include "lab/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static const char *node_name(const char *nodedir)
{
    const char *slash = strrchr(nodedir, '/');

    return slash != NULL ? slash + 1 : nodedir;
}

static void streams_drop(void)
{
    int null = open("/dev/null", O_RDWR);

    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    close_range(3, ~0U, 0);
}

/* The command's process is the leader's child until the leader ends; then the node's init's. */
static _Noreturn void leader_leave_behind(const struct enter *enter, const sigset_t *mask)
{
    int result[2], error = 0;
    pid_t pid;

    if (pipe2(result, O_CLOEXEC) < 0)
        die(ENTER_FAILED, "cannot run %s: %s", enter->argv[0], strerror(errno));
    pid = fork();
    if (pid < 0)
        die(ENTER_FAILED, "cannot run %s: %s", enter->argv[0], strerror(errno));
    if (pid == 0)
        command_daemonize(enter, mask, result[1]);
    close(result[1]);
    if (read(result[0], &error, sizeof(error)) == sizeof(error))
        die(command_status(error), "cannot run %s on %s: %s", enter->argv[0],
            node_name(enter->nodedir), strerror(error));
    printf("%d %llu\n", (int)pid, pidfile_start_time(pid));
    fflush(stdout);
    _exit(0);
}

static _Noreturn void leader_run(const struct enter *enter, const sigset_t *mask, int init,
                                 const char *cwd)
{
    int master = -1;
    pid_t pid;

    if (setns(init, CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS) < 0)
        die(ENTER_FAILED, "cannot enter node %s: %s", node_name(enter->nodedir), strerror(errno));
    if (chdir(cwd) < 0 && chdir("/") < 0)
        die(ENTER_FAILED, "cannot enter / of node %s: %s", node_name(enter->nodedir),
            strerror(errno));
    if (enter->log != NULL)
        leader_leave_behind(enter, mask);
    prctl(PR_SET_PDEATHSIG, SIGHUP);
    if (enter->terminal)
        master = pty_open();
    else
        setsid();
    pid = fork();
    if (pid < 0)
        die(ENTER_FAILED, "cannot run %s: %s", enter->argv[0], strerror(errno));
    if (pid == 0)
        command_run(enter, mask, master);
    if (enter->terminal)
        relay_end_as(pty_relay(master, pid));
    setpgid(pid, pid);
    streams_drop();
    relay_end_as(relay_wait(pid, -pid));
}

_Noreturn void enter_run(const struct enter *enter)
{
    struct termios saved;
    bool raw = enter->terminal && tcgetattr(STDIN_FILENO, &saved) == 0;
    char cwd[PATH_MAX];
    sigset_t mask;
    pid_t init_pid, leader;
    int status, init = pidfile_open(enter->nodedir, &init_pid);

    if (init == -ESRCH)
        die(ENTER_FAILED, "cannot enter node %s: it is down", node_name(enter->nodedir));
    if (init < 0)
        die(ENTER_FAILED, "cannot enter node %s: %s", node_name(enter->nodedir), strerror(-init));
    if (getcwd(cwd, sizeof(cwd)) == NULL)
        strcpy(cwd, "/");
    if (setns(init, CLONE_NEWPID) < 0)
        die(ENTER_FAILED, "cannot enter node %s: %s", node_name(enter->nodedir), strerror(errno));
    relay_block(&mask);
    leader = fork();
    if (leader < 0)
        die(ENTER_FAILED, "cannot enter node %s: %s", node_name(enter->nodedir), strerror(errno));
    if (leader == 0)
        leader_run(enter, &mask, init, cwd);
    if (!raw)
        streams_drop();
    else
        pty_raw(&saved);
    status = relay_wait(leader, leader);
    if (raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
    relay_end_as(status);
}
