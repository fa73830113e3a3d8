/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that is continued says so, and is stopped again before anybody has read it: he has to
 * hear of both in their order.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/reaper.h"
#include "common/trace.h"
#include "tests/unit/tap.h"

static struct event_base *base;
static char heard[16];              /* s: it stopped; -: it goes on; c: it says that it does */
static int words[2];
static pid_t traced;

static void hear(char what)
{
    size_t len = strlen(heard);

    if (len + 1 < sizeof(heard))
        heard[len] = what;
}

/* What the kernel has to tell of it stays to be waited for. */
static void until_it_stops(void)
{
    siginfo_t info;

    waitid(P_PID, (id_t)traced, &info, WSTOPPED | WNOWAIT);
}

static void told(int stopped, void *arg)
{
    (void)arg;
    hear(stopped ? 's' : '-');
    if (!stopped)
        until_it_stops();
}

/* Called while ends and stops are looked through: lets the traced one come to its next. */
static void other_ended(pid_t pid, int status, void *arg)
{
    siginfo_t info = { .si_pid = 0 };

    (void)pid;
    (void)status;
    (void)arg;
    for (int i = 0; i < 200 && info.si_pid == 0; i++) {
        waitid(P_PID, (id_t)traced, &info, WSTOPPED | WNOHANG | WNOWAIT);
        usleep(1000);
    }
}

static void word_read(evutil_socket_t fd, short what, void *arg)
{
    char word;

    (void)what;
    (void)arg;
    if (read(fd, &word, 1) == 1)
        hear(word);
}

/* It stops, and whenever it is continued it says so first. */
static pid_t stopper_start(void)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    for (;;) {
        raise(SIGSTOP);
        (void)!write(words[1], "c", 1);
    }
}

/* One that has ended. */
static void other_make(void)
{
    siginfo_t info;
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    reaper_watch(pid, other_ended, NULL);
}

static bool hears(const char *want)
{
    struct timeval soon = { 0, 10000 };

    for (int i = 0; i < 1000 && strlen(heard) < strlen(want); i++) {
        event_base_loopexit(base, &soon);
        event_base_dispatch(base);
    }
    return strcmp(heard, want) == 0;
}

int main(void)
{
    struct event *reader;

    base = event_base_new();
    if (pipe2(words, O_CLOEXEC) < 0 || reaper_start(base) < 0)
        return 1;
    trace_init(base);
    reader = event_new(base, words[0], EV_READ | EV_PERSIST, word_read, NULL);
    event_add(reader, NULL);
    traced = stopper_start();
    until_it_stops();
    trace_start(traced, told, NULL);
    ok(hears("s"), "a stop is told");
    other_make();               /* in which a SIGCONT and a SIGSTOP are on their way to it */
    other_make();
    kill(traced, SIGCONT);
    until_it_stops();           /* for its tracer, before it goes on */
    if (!ok(hears("s-cs"), "that it goes on, what it says then, and the next stop"))
        diag("heard: %s", heard);
    kill(traced, SIGKILL);
    return done_testing();
}
