/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kinds A B: files that are in no folder are the same in a child on node A as they were, and in
 * its own child on node B as they were there.
 */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "tests/progs/remote.h"

#define TIMER_MILLISECONDS 300

static int event, timer, signals, watch;

static void kinds_open(void)
{
    struct itimerspec soon = { .it_value = { 0, TIMER_MILLISECONDS * 1000000L } };
    struct epoll_event wanted = { EPOLLIN, { .u32 = 77 } };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    event = eventfd(5, 0);
    timer = timerfd_create(CLOCK_MONOTONIC, 0);
    signals = signalfd(-1, &set, 0);
    watch = epoll_create1(0);
    if (event < 0 || signals < 0 || timerfd_settime(timer, 0, &soon, NULL) < 0 ||
        epoll_ctl(watch, EPOLL_CTL_ADD, event, &wanted) < 0)
        exit(2);
}

static void look(void)
{
    struct signalfd_siginfo info = { .ssi_signo = 0 };
    struct epoll_event seen = { .data = { .u32 = 0 } };
    uint64_t value = 0;

    ok(epoll_wait(watch, &seen, 1, 0) == 1 && seen.data.u32 == 77, "epoll knows what it waits for");
    ok(read(event, &value, sizeof(value)) == sizeof(value) && value == 5, "eventfd has its value");
    is_int(epoll_wait(watch, &seen, 1, 0), 0, "which it has lost");
    ok(read(timer, &value, sizeof(value)) == sizeof(value) && value == 1, "timerfd goes off");
    kill(getpid(), SIGUSR1);
    ok(read(signals, &info, sizeof(info)) == sizeof(info) && info.ssi_signo == SIGUSR1,
       "signalfd gets a signal");
}

int main(int argc, char **argv)
{
    int first = remote_node(argc, argv), second = argc > 2 ? atoi(argv[2]) : first;
    int status = -1, pid;

    kinds_open();
    pid = remote_fork(first);
    if (pid == 0) {
        remote_look(second, look);
        look();
        fflush(stdout);
        _exit(tap_failed ? 1 : 0);
    }
    ok(waitpid(pid, &status, 0) == pid, "the first parent can wait for its child");
    is_int(status, 0, "both have seen all");
    return done_testing();
}
