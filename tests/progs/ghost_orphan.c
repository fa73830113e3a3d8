/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ghost_orphan NODE: when the parent dies the child goes on, and its getppid() tells. */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#include "tests/progs/remote.h"

struct news {
    int parent, before, after, pid;
};

static int node;

static void child(int out, int runs, int parent)
{
    struct news news = { .parent = parent, .before = getppid(), .pid = getpid() };

    (void)!write(runs, "", 1);
    eventually(getppid() != news.before);
    news.after = getppid();
    (void)!write(out, &news, sizeof(news));
    pause();
}

/* Between us and the child; it ends as soon as the child runs. */
static void parent(int out)
{
    int self = getpid(), runs[2], pid;
    char byte;

    if (pipe(runs) < 0)
        exit(2);
    pid = remote_fork(node);
    if (pid == 0)
        child(out, runs[1], self);
    (void)!read(runs[0], &byte, 1);
    kill(self, SIGKILL);
}

static void left_child(void)
{
    struct news news = { 0 };
    struct pollfd fd;
    int ends[2], middle, status;
    char byte;

    if (pipe(ends) < 0)
        exit(2);
    /* The child comes to us when its parent is gone, so that its end is seen here. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    fflush(stdout);
    middle = fork();
    if (middle == 0) {
        close(ends[0]);
        parent(ends[1]);
    }
    close(ends[1]);
    is_int(wait_bounded(middle, &status, 0), middle, "the parent of a remote child dies");
    fd = (struct pollfd){ .fd = ends[0], .events = POLLIN };
    if (!ok(poll(&fd, 1, 10000) == 1 && read(ends[0], &news, sizeof(news)) == sizeof(news),
            "the child goes on and its pipe works"))
        return;
    ok(news.before == news.parent && news.parent == middle, "getppid() was the parent");
    is_int(news.after, 1, "and is 1 now");
    is_int(waitpid(news.pid, &status, WNOHANG), 0, "the child still lives");
    is_int(kill(news.pid, SIGUSR1), 0, "signals still reach it");
    wait_bounded(news.pid, &status, 0);
    is_int(status, SIGUSR1, "and end it");
    ok(read(ends[0], &byte, 1) == 0, "on the node as well");
}

int main(int argc, char **argv)
{
    node = remote_node(argc, argv);
    left_child();
    return done_testing();
}
