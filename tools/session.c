/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/pty.h"
#include "tools/pump.h"
#include "tools/session.h"
#include "tools/tool.h"

#define NODE_PROGRAM PKGLIBEXECDIR "/bproc-session"
#define REPORT_FD 4
#define GRACE_MS 2000
#define END_COUNT 5             /* standard streams, control, report */

/* Both ends of each connection between the caller and the child. */
struct ends {
    int own[END_COUNT], child[END_COUNT];
};

/* A session under way. */
struct running {
    pid_t pid;                  /* 0 once reaped */
    int status;
    int signals, done;
    int told;                   /* the first SIGHUP or SIGTERM that was passed on; 0: none */
    int64_t deadline;           /* tool_clock() when the caller ends after it */
    int64_t limit;              /* tool_clock() when the stage's time is up; 0: there is none */
    sigset_t mask;              /* as the caller had it */
    struct sigaction pipe_action;
    struct ends ends;
    struct pump pumps[3];
};

static int end_make(struct ends *ends, int i)
{
    int pair[2];
    int reads = i == STDIN_FILENO ? 1 : 0;

    if (i == SESSION_CONTROL ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0
                             : pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    ends->own[i] = pair[reads];
    ends->child[i] = pair[!reads];
    return 0;
}

static void ends_close(struct ends *ends)
{
    for (int i = 0; i < END_COUNT; i++) {
        tool_close(&ends->own[i]);
        tool_close(&ends->child[i]);
    }
}

static int ends_make(struct ends *ends, const struct session *session)
{
    int error = 0;

    memset(ends, 0xff, sizeof(*ends));
    for (int i = 0; i < END_COUNT && !error; i++)
        if (i != STDIN_FILENO || !session->no_input)
            error = end_make(ends, i);
    if (!error && session->no_input)
        ends->child[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (!error && ends->child[0] < 0)
        error = -errno;
    if (error)
        ends_close(ends);
    return error;
}

/* Puts the child's ends to 0 to 4, the last close-on-exec, and closes all others. */
static int ends_install(const struct ends *ends)
{
    int high[END_COUNT];

    for (int i = 0; i < END_COUNT; i++)
        if ((high[i] = fcntl(ends->child[i], F_DUPFD_CLOEXEC, END_COUNT)) < 0)
            return -1;
    for (int i = 0; i < END_COUNT; i++)
        if (dup3(high[i], i, i == REPORT_FD ? O_CLOEXEC : 0) < 0)
            return -1;
    return (int)syscall(SYS_close_range, END_COUNT, ~0U, 0U);
}

static int signals_open(struct running *running)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGWINCH);
    tool_signals(&set);
    sigaction(SIGPIPE, &ignore, &running->pipe_action);
    tool_mask(&running->mask);
    sigprocmask(SIG_BLOCK, &set, NULL);
    running->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return running->signals < 0 ? -errno : 0;
}

/* Arguments of bproc-session: its own, then the command. NULL without memory. */
static char **arguments_make(const struct session *session, char size[32])
{
    const char *own[8] = { "bproc-session" };
    struct winsize window = terminal_size();
    size_t count = 1, more = 0;
    char **argv;

    snprintf(size, 32, "%hux%hu", window.ws_row, window.ws_col);
    if (session->terminal) {
        own[count++] = "-t";
        own[count++] = size;
    }
    if (session->folder) {
        own[count++] = "-d";
        own[count++] = session->folder;
    }
    own[count++] = "--";
    own[count++] = session->path;
    while (session->argv[more])
        more++;
    argv = calloc(count + more + 1, sizeof(*argv));
    if (!argv)
        return NULL;
    memcpy(argv, own, count * sizeof(*argv));
    memcpy(argv + count, session->argv, more * sizeof(*argv));
    return argv;
}

/*
 * A group of its own: keys of the terminal reach the caller alone, who passes them on once. Of
 * what the caller ignores only signals_open() makes a rule.
 */
__attribute__((noreturn))
static void child_run(const struct session *session, const struct running *running)
{
    char size[32];
    char **argv = arguments_make(session, size);
    int flags = session->no_input ? 0 : BPROC_IO_STDIN;
    int report = running->ends.child[REPORT_FD];

    setpgid(0, 0);
    if (argv && ends_install(&running->ends) == 0) {
        report = REPORT_FD;
        sigaction(SIGPIPE, &running->pipe_action, NULL);
        sigprocmask(SIG_SETMASK, &running->mask, NULL);
        if (!session->become || session->become(session->user) == 0)
            _bproc_rexec(session->node, flags, NODE_PROGRAM, argv, session->envp);
    }
    if (write(report, &(int) { errno }, sizeof(int)) < 0)
        _exit(2);
    _exit(1);
}

static int running_start(struct running *running, const struct session *session)
{
    int error = ends_make(&running->ends, session);

    if (error)
        return error;
    running->pid = fork();
    if (running->pid == 0)
        child_run(session, running);
    if (running->pid < 0)
        return -errno;
    for (int i = 0; i < END_COUNT; i++)
        tool_close(&running->ends.child[i]);
    return 0;
}

static int pump_begin(struct running *running, int i, int from, int to)
{
    running->ends.own[i] = -1;
    return pump_start(&running->pumps[i], from, to, running->done);
}

/* Messages of ours may still come after the command's: standard error itself stays open. */
static int pumps_start(struct running *running, const struct session *session)
{
    const int *own = running->ends.own;
    int error = pump_begin(running, STDOUT_FILENO, own[STDOUT_FILENO], STDOUT_FILENO);

    if (!error)
        error = pump_begin(running, STDERR_FILENO, own[STDERR_FILENO],
                           fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!error && !session->no_input)
        error = pump_begin(running, STDIN_FILENO, STDIN_FILENO, own[STDIN_FILENO]);
    return error;
}

static void child_reap(struct running *running)
{
    if (running->pid > 0 && waitpid(running->pid, &running->status, WNOHANG) == running->pid)
        running->pid = 0;
}

static void size_send(const struct running *running)
{
    struct winsize size = terminal_size();

    send(running->ends.own[SESSION_CONTROL], &size, sizeof(size), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* What is to end the caller ends it soon, also if the command takes no notice. */
static void signal_pass(struct running *running, int signo)
{
    kill(running->pid, signo);
    if ((signo == SIGHUP || signo == SIGTERM) && !running->told) {
        running->told = signo;
        running->deadline = tool_clock() + GRACE_MS;
    }
}

/* Milliseconds until the caller ends, or the limit; -1: neither comes. */
static int patience(const struct running *running)
{
    int64_t until = running->told ? running->deadline : running->limit;
    int64_t left = until - tool_clock();

    if (until == 0)
        return -1;
    return left > INT_MAX ? INT_MAX : left > 0 ? (int)left : 0;
}

static bool limit_passed(const struct running *running)
{
    return !running->told && patience(running) == 0;
}

static void limit_set(struct running *running, int64_t ms)
{
    running->limit = ms ? tool_clock() + ms : 0;
}

/* As a time limit ends other commands. */
static void command_end(struct running *running, const struct session *session)
{
    running->told = SIGTERM;
    running->deadline = tool_clock() + SESSION_END_MS;
    session->end(session->end_arg, running->pid);
}

/* False when it ends the caller: the command has ended, only its output is still open. */
static bool signal_take(struct running *running, const struct session *session)
{
    struct signalfd_siginfo info;

    while (read(running->signals, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            child_reap(running);
        else if (info.ssi_signo == SIGWINCH && session->terminal)
            size_send(running);
        else if (info.ssi_signo != SIGWINCH && running->pid > 0)
            signal_pass(running, (int)info.ssi_signo);
        else if (info.ssi_signo != SIGWINCH)
            return false;
    }
    return true;
}

/*
 * Waits for the word of the child: 0 when the node has taken it, or when a signal has ended it
 * before or ends the caller; else -errno.
 */
static int running_report(struct running *running, const struct session *session)
{
    struct pollfd fds[2] = { { .fd = running->signals, .events = POLLIN },
                             { .fd = running->ends.own[REPORT_FD], .events = POLLIN } };
    int error = 0;
    ssize_t n;

    limit_set(running, session->connect_ms);
    while (poll(fds, 2, patience(running)) < 0 || fds[1].revents == 0) {
        signal_take(running, session);
        if (limit_passed(running)) {
            if (running->pid > 0)
                kill(running->pid, SIGKILL);
            return -ETIMEDOUT;
        }
        if (patience(running) == 0)
            return 0;
    }
    n = read(running->ends.own[REPORT_FD], &error, sizeof(error));
    if (n == 0)
        return 0;
    return n == (ssize_t)sizeof(error) && error ? -error : -EIO;
}

/* A reader that is gone is the command's affair, any other failure the caller's. */
static void output_check(struct running *running, const struct session *session)
{
    for (int i = STDOUT_FILENO; i <= STDERR_FILENO; i++) {
        struct pump *pump = &running->pumps[i];

        if (pump_over(pump) && pump->error && pump->error != EPIPE)
            errx(session->failure, "cannot write %s: %s",
                 i == STDOUT_FILENO ? "stdout" : "stderr", strerror(pump->error));
    }
}

static void running_wait(struct running *running, const struct session *session)
{
    struct pollfd fds[2] = { { .fd = running->signals, .events = POLLIN },
                             { .fd = running->done, .events = POLLIN } };
    bool wanted = true;
    uint64_t count;

    limit_set(running, session->run_ms);
    child_reap(running);
    while (wanted && (running->pid > 0 || !pump_over(&running->pumps[STDOUT_FILENO]) ||
                      !pump_over(&running->pumps[STDERR_FILENO]))) {
        poll(fds, 2, patience(running));
        if (read(running->done, &count, sizeof(count)) < 0 && errno != EAGAIN)
            return;
        wanted = signal_take(running, session);
        if (wanted && limit_passed(running) && running->pid > 0)
            command_end(running, session);
        wanted &= patience(running) != 0;
        output_check(running, session);
    }
    output_check(running, session);
    if (running->pid > 0)
        running->status = running->told;
}

int session_run(const struct session *session, int *status)
{
    static struct running running;      /* a pump may still wait for input at the end */
    int error;

    running.done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    error = running.done < 0 ? -errno : signals_open(&running);
    if (!error)
        error = running_start(&running, session);
    if (!error)
        error = running_report(&running, session);
    if (!error && session->terminal)
        terminal_raw();
    if (!error)
        error = pumps_start(&running, session);
    if (!error)
        running_wait(&running, session);
    terminal_restore();
    *status = running.status;
    return error;
}
