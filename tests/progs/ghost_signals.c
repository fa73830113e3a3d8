/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ghost_signals NODE: signals reach the child with their values; it stops and goes on. */
#include "config.h"

#include <poll.h>
#include <signal.h>

#include "tests/progs/remote.h"

#define MANY 20

struct news {
    int signo, code, pid, uid, value;
};

static int node;
static int pipe_fds[2];

static void news_send(int signo, siginfo_t *info, void *context)
{
    struct news news = { signo, info->si_code, info->si_pid, (int)info->si_uid,
                         info->si_value.sival_int };

    (void)context;
    (void)!write(pipe_fds[1], &news, sizeof(news));
}

static struct news news_take(void)
{
    struct news news = { 0 };
    struct pollfd fd = { .fd = pipe_fds[0], .events = POLLIN };

    if (poll(&fd, 1, 10000) == 1)
        (void)!read(pipe_fds[0], &news, sizeof(news));
    return news;
}

static void handler_set(int signo)
{
    struct sigaction action = { .sa_sigaction = news_send, .sa_flags = SA_SIGINFO };

    sigfillset(&action.sa_mask);
    sigaction(signo, &action, NULL);
}

/* A child that reports each signal it gets; SIGTERM ends it. The pipe is new each time. */
static int reporter_start(void)
{
    int pid;

    if (pipe(pipe_fds) < 0)
        exit(2);
    handler_set(SIGUSR1);
    handler_set(SIGWINCH);
    handler_set(SIGINT);
    handler_set(SIGTSTP);
    handler_set(SIGRTMIN + 1);
    pid = remote_fork(node);
    if (pid == 0) {
        close(pipe_fds[0]);
        for (;;)
            pause();
    }
    close(pipe_fds[1]);
    return pid;
}

static void reporter_end(int pid)
{
    int status;

    kill(pid, SIGTERM);
    wait_bounded(pid, &status, 0);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "SIGTERM ends it");
    close(pipe_fds[0]);
}

static void values_arrive(void)
{
    int pid = reporter_start();
    union sigval value = { .sival_int = 123456789 };
    struct news news;

    is_int(kill(pid, 0), 0, "signal 0 finds the child");
    kill(pid, SIGUSR1);
    is_int(news_take().signo, SIGUSR1, "a plain signal");
    kill(pid, SIGWINCH);
    is_int(news_take().signo, SIGWINCH, "one whose default is to be ignored");
    kill(pid, SIGINT);
    is_int(news_take().signo, SIGINT, "an interrupt with a handler");
    kill(pid, SIGTSTP);
    is_int(news_take().signo, SIGTSTP, "a terminal's stop with a handler");
    sigqueue(pid, SIGUSR1, value);
    news = news_take();
    ok(news.signo == SIGUSR1 && news.code == SI_QUEUE && news.value == 123456789,
       "a signal with a value");
    ok(news.pid == getpid() && news.uid == (int)getuid(), "and its sender");
    reporter_end(pid);
}

static void real_time_queues(void)
{
    int pid = reporter_start(), wrong = 0;

    for (int i = 0; i < MANY; i++)
        sigqueue(pid, SIGRTMIN + 1, (union sigval){ .sival_int = i });
    for (int i = 0; i < MANY; i++) {
        struct news news = news_take();

        wrong += news.signo != SIGRTMIN + 1 || news.value != i;
    }
    is_int(wrong, 0, "%d real-time signals arrive, in order", MANY);
    reporter_end(pid);
}

static void kill_kills(void)
{
    struct pollfd fd;
    int pid = reporter_start(), status;

    kill(pid, SIGKILL);
    wait_bounded(pid, &status, 0);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "SIGKILL ends the child");
    fd = (struct pollfd){ .fd = pipe_fds[0], .events = POLLIN };
    ok(poll(&fd, 1, 5000) == 1 && read(pipe_fds[0], &status, 1) == 0, "on the node as well");
    close(pipe_fds[0]);
}

/* The call has returned: the child is there for any signal. */
static void at_once(void)
{
    int wrong = 0;

    for (int i = 0; i < MANY; i++) {
        int pid = remote_fork(node), status;

        if (pid == 0)
            for (;;)
                pause();
        kill(pid, i % 2 ? SIGTERM : SIGKILL);
        wrong += wait_bounded(pid, &status, 0) != pid || status != (i % 2 ? SIGTERM : SIGKILL);
    }
    is_int(wrong, 0, "signals sent right after the fork");
}

static void mask_holds(void)
{
    sigset_t mask;
    int pid, status;

    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    pid = remote_fork(node);
    if (pid == 0) {
        sigset_t pending;

        eventually((sigpending(&pending), sigismember(&pending, SIGTERM)));
        sigprocmask(SIG_UNBLOCK, &mask, NULL);
        _exit(1);
    }
    kill(pid, SIGTERM);
    wait_bounded(pid, &status, 0);
    is_int(status, SIGTERM, "a blocked signal waits until it is not");
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

/* Bytes come while the child runs. */
static int beats(void)
{
    struct pollfd fd = { .fd = pipe_fds[0], .events = POLLIN };
    char bytes[4096];

    while (poll(&fd, 1, 0) == 1 && read(pipe_fds[0], bytes, sizeof(bytes)) > 0)
        continue;
    return poll(&fd, 1, 200) == 1 && read(pipe_fds[0], bytes, sizeof(bytes)) > 0;
}

static int beater_start(void)
{
    int pid;

    if (pipe(pipe_fds) < 0)
        exit(2);
    signal(SIGTSTP, SIG_DFL);
    pid = remote_fork(node);
    if (pid == 0)
        for (;;) {
            (void)!write(pipe_fds[1], "", 1);
            usleep(5000);
        }
    close(pipe_fds[1]);
    return pid;
}

static void stops_by(int signo)
{
    int pid = beater_start(), status;

    ok(eventually(beats()), "the child beats");
    kill(pid, signo);
    is_int(wait_bounded(pid, &status, WUNTRACED), pid, "%s is seen", sigabbrev_np(signo));
    ok(WIFSTOPPED(status) && WSTOPSIG(status) == signo, "as a stop by it");
    ok(eventually(!beats()), "the child has stopped");
    kill(pid, SIGCONT);
    is_int(wait_bounded(pid, &status, WCONTINUED), pid, "SIGCONT is seen");
    ok(WIFCONTINUED(status), "as such");
    ok(eventually(beats()), "the child goes on");
    kill(pid, signo);
    wait_bounded(pid, &status, WUNTRACED);
    ok(WIFSTOPPED(status), "it stops again");
    kill(pid, SIGTERM);
    usleep(50000);
    is_int(waitpid(pid, &status, WNOHANG), 0, "a stopped child does not take a SIGTERM");
    kill(pid, SIGCONT);
    wait_bounded(pid, &status, 0);
    is_int(status, SIGTERM, "but when it goes on");
    close(pipe_fds[0]);
}

/* The node's word of a stop may come when the ghost goes on already. */
static void stops_soon_again(void)
{
    int pid = beater_start(), status, lost = 0;

    for (int i = 0; i < 10; i++) {
        kill(pid, SIGSTOP);
        wait_bounded(pid, &status, WUNTRACED);
        kill(pid, SIGCONT);
        wait_bounded(pid, &status, WCONTINUED);
        usleep((useconds_t)i * 1000);
        kill(pid, SIGSTOP);
        if (wait_bounded(pid, &status, WUNTRACED) != pid || !eventually(!beats()))
            lost++;
        kill(pid, SIGCONT);
        wait_bounded(pid, &status, WCONTINUED);
    }
    is_int(lost, 0, "a stop that comes soon after one counts");
    kill(pid, SIGKILL);
    wait_bounded(pid, &status, 0);
    close(pipe_fds[0]);
}

static void stops_itself(int signo)
{
    int pid = remote_fork(node), status;

    if (pid == 0) {
        signal(signo, SIG_DFL);
        raise(signo);
        _exit(5);
    }
    is_int(wait_bounded(pid, &status, WUNTRACED), pid, "a child that stops itself by %s is seen",
           sigabbrev_np(signo));
    ok(WIFSTOPPED(status) && WSTOPSIG(status) == signo, "as stopped by that");
    usleep(30000);
    is_int(waitpid(pid, &status, WNOHANG), 0, "it stays so");
    kill(pid, SIGCONT);
    wait_bounded(pid, &status, WCONTINUED);
    ok(WIFCONTINUED(status) || WIFEXITED(status), "until it is continued");
    if (WIFCONTINUED(status))
        wait_bounded(pid, &status, 0);
    is_int(status, 5 << 8, "and exits");
}

static void stopped_is_killed(void)
{
    int pid = beater_start(), status;

    kill(pid, SIGSTOP);
    wait_bounded(pid, &status, WUNTRACED);
    kill(pid, SIGKILL);
    is_int(wait_bounded(pid, &status, 0), pid, "a stopped child can be killed");
    is_int(status, SIGKILL, "by SIGKILL");
    ok(eventually(!beats()), "on the node as well");
    close(pipe_fds[0]);
}

/* Many stops and goes: what counts is that the last word holds. */
static void last_word_holds(void)
{
    int pid = beater_start(), status;

    for (int i = 0; i < 50; i++) {
        kill(pid, SIGSTOP);
        kill(pid, SIGCONT);
    }
    ok(eventually(beats()), "after 50 stops and goes the child runs");
    for (int i = 0; i < 50; i++) {
        kill(pid, SIGCONT);
        kill(pid, SIGSTOP);
    }
    ok(eventually(!beats()), "after 50 goes and stops it is stopped");
    kill(pid, SIGKILL);
    wait_bounded(pid, &status, 0);
    close(pipe_fds[0]);
}

int main(int argc, char **argv)
{
    node = remote_node(argc, argv);
    values_arrive();
    real_time_queues();
    kill_kills();
    at_once();
    mask_holds();
    stops_by(SIGSTOP);
    stops_by(SIGTSTP);
    stops_soon_again();
    stops_itself(SIGSTOP);
    stops_itself(SIGTSTP);
    stops_itself(SIGTTIN);
    stopped_is_killed();
    last_word_holds();
    return done_testing();
}
