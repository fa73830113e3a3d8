/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bproc-session: leads a command on the node for session.c. What it is told by signals reaches the
 * command's whole session, or its group if it is on a terminal, where the shell makes groups and
 * the kernel ends them. When the control socket ends, nobody waits for the command any more, and it
 * gets SIGHUP, SIGTERM and SIGKILL in turn. What the command leaves behind is left alone, but a
 * terminal is gone with the command: what is in its foreground then gets SIGHUP.
 *
 * Life: executed by bproc_rexec() with the streams at 0 to 2 and the control socket behind them. It
 * ends with the command, with its exit status, 128 and more when a signal ended it, 255 when it
 * could not be executed.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/pty.h"
#include "tools/pump.h"
#include "tools/session.h"
#include "tools/session_kill.h"

#define STATUS_FAILED 255
#define KEY_END '\004'              /* what ends input at a terminal */

struct leader {
    pid_t child;
    int master;                     /* of the terminal; -1: none */
    int signals, done, control;
    int step;                       /* of ending[] to come next */
    struct pump keys, screen;
};

struct options {
    bool terminal;
    struct winsize size;
    const char *folder, *path;
    char **argv;
};

/* What a command gets that nobody waits for, and how long it has before the next. */
static const struct {
    int signo, patience_ms;
} ending[] = { { SIGHUP, 1000 }, { SIGTERM, 4000 }, { SIGKILL, -1 } };

static const int passed_on[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCONT };

static void options_read(struct options *options, int argc, char **argv)
{
    int option;

    *options = (struct options) { 0 };
    while ((option = getopt(argc, argv, "+t:d:")) != -1) {
        if (option == 'd')
            options->folder = optarg;
        else if (option == 't' && sscanf(optarg, "%hux%hu", &options->size.ws_row,
                                         &options->size.ws_col) == 2)
            options->terminal = true;
        else
            exit(STATUS_FAILED);
    }
    if (argc - optind < 2)
        errx(STATUS_FAILED, "no command given");
    options->path = argv[optind];
    options->argv = argv + optind + 1;
}

static void signals_default(void)
{
    sigset_t none;

    for (int signo = 1; signo < NSIG; signo++)
        signal(signo, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The leader's death by SIGKILL is the command's. */
__attribute__((noreturn))
static void command_run(const struct options *options, int master)
{
    int error = 0;

    setsid();
    if (master >= 0)
        error = pty_take(master);
    if (error)
        errx(STATUS_FAILED, "cannot take terminal: %s", strerror(-error));
    if (options->folder && chdir(options->folder) < 0 && chdir("/") < 0)
        err(STATUS_FAILED, "cannot go to %s", options->folder);
    signals_default();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execv(options->path, options->argv);
    err(STATUS_FAILED, "cannot execute %s", options->path);
}

static int signals_open(void)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(*passed_on); i++)
        sigaddset(&set, passed_on[i]);
    sigprocmask(SIG_SETMASK, &set, NULL);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        err(STATUS_FAILED, "cannot take signals");
    return fd;
}

/* The command alone shall have the streams open, so that they end with it. */
static void streams_drop(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
}

static int fd_copy(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, SESSION_CONTROL + 1);
}

static void terminal_carry(struct leader *leader)
{
    if (pump_start(&leader->keys, fd_copy(STDIN_FILENO), fd_copy(leader->master), leader->done) ||
        pump_start(&leader->screen, fd_copy(leader->master), fd_copy(STDOUT_FILENO), leader->done))
        errx(STATUS_FAILED, "cannot carry terminal");
}

/* The child has no session of its own yet when there is nobody in it. */
static void command_kill(const struct leader *leader, int signo)
{
    if (leader->master < 0 && session_kill(leader->child, signo) > 0)
        return;
    if (kill(-leader->child, signo) < 0)
        kill(leader->child, signo);
}

/* True when the command has ended. */
static bool signal_take(const struct leader *leader, int *status)
{
    struct signalfd_siginfo info;

    while (read(leader->signals, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo != SIGCHLD)
            command_kill(leader, (int)info.ssi_signo);
        else if (waitpid(leader->child, status, WNOHANG) == leader->child)
            return true;
    }
    return false;
}

/* The window's size, or the end. */
static void control_read(struct leader *leader)
{
    struct winsize size;
    ssize_t n = recv(leader->control, &size, sizeof(size), MSG_WAITALL);

    if (n == (ssize_t)sizeof(size)) {
        if (leader->master >= 0)
            pty_resize(leader->master, &size);
    } else if (n >= 0 || errno != EINTR) {
        close(leader->control);
        leader->control = -1;
    }
}

/* The next signal for a command that nobody waits for; milliseconds until the one after it. */
static int ending_step(struct leader *leader)
{
    int step = leader->step;

    command_kill(leader, ending[step].signo);
    command_kill(leader, SIGCONT);
    if (ending[step].patience_ms >= 0)
        leader->step++;
    return ending[step].patience_ms;
}

static void keys_end(struct leader *leader)
{
    const char key = KEY_END;
    uint64_t count;

    if (read(leader->done, &count, sizeof(count)) < 0 || leader->master < 0 ||
        !leader->keys.started || !pump_over(&leader->keys))
        return;
    pump_join(&leader->keys);
    (void)!write(leader->master, &key, 1);
}

static int leader_wait(struct leader *leader)
{
    int patience = -1, status = 0;

    for (;;) {
        struct pollfd fds[3] = { { .fd = leader->signals, .events = POLLIN },
                                 { .fd = leader->done, .events = POLLIN },
                                 { .fd = leader->control, .events = POLLIN } };
        int ready = poll(fds, 3, patience);

        if (signal_take(leader, &status))
            return status;
        if (fds[1].revents)
            keys_end(leader);
        if (fds[2].revents && leader->control >= 0)
            control_read(leader);
        if (leader->control < 0 && (ready == 0 || leader->step == 0))
            patience = ending_step(leader);
    }
}

int main(int argc, char **argv)
{
    struct leader leader = { .master = -1, .control = SESSION_CONTROL };
    struct options options;
    int status;

    options_read(&options, argc, argv);
    fcntl(leader.control, F_SETFD, FD_CLOEXEC);
    leader.signals = signals_open();
    leader.done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (options.terminal && (leader.master = pty_open(&options.size)) < 0)
        errx(STATUS_FAILED, "cannot open terminal: %s", strerror(-leader.master));
    leader.child = fork();
    if (leader.child == 0)
        command_run(&options, leader.master);
    if (leader.child < 0)
        err(STATUS_FAILED, "cannot run %s", options.path);
    if (options.terminal)
        terminal_carry(&leader);
    streams_drop();
    status = leader_wait(&leader);
    /* Jobs in the background may have the terminal open for as long as they like. */
    pump_drain(&leader.screen);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
