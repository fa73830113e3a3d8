/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-notifiers COUNT ROUNDS NODE
 *
 * Opens COUNT notifiers and prints, ROUNDS times, how long it takes from setting the state of NODE
 * until the last of them has heard of it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/bproc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/stopwatch.h"

#define PATIENCE_MS 10000
#define PAUSE_USEC 100000       /* so that no change is told together with the one before */

static int *notifiers;
static int count;

static void notifiers_open(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    notifiers = calloc((size_t)count, sizeof(*notifiers));
    for (int i = 0; notifiers && i < count; i++) {
        notifiers[i] = bproc_notifier();
        if (notifiers[i] < 0 || fcntl(notifiers[i], F_SETFL, O_NONBLOCK) < 0)
            stopwatch_die("open", "a notifier");
    }
    if (!notifiers)
        stopwatch_die("hold", "the notifiers");
}

static void notifier_drain(int fd)
{
    char bytes[64];

    while (read(fd, bytes, sizeof(bytes)) > 0)
        continue;
}

static void notifier_wait(int fd)
{
    struct pollfd poll_one = { .fd = fd, .events = POLLIN };

    errno = ETIMEDOUT;
    if (poll(&poll_one, 1, PATIENCE_MS) != 1)
        stopwatch_die("hear of", "the change");
}

static void round_run(const char *label, int node, int state)
{
    int64_t start;

    usleep(PAUSE_USEC);
    for (int i = 0; i < count; i++)
        notifier_drain(notifiers[i]);
    start = stopwatch_now();
    if (bproc_setnodestatus(node, state) < 0)
        stopwatch_die("set the state of", "the node");
    for (int i = 0; i < count; i++)
        notifier_wait(notifiers[i]);
    stopwatch_print(label, start, 0);
}

int main(int argc, char **argv)
{
    int rounds = argc == 4 ? atoi(argv[2]) : 0;

    count = argc == 4 ? atoi(argv[1]) : 0;
    if (count <= 0 || rounds <= 0) {
        fprintf(stderr, "usage: bench-notifiers COUNT ROUNDS NODE\n");
        return 2;
    }
    notifiers_open();
    for (int i = 0; i < rounds; i++)
        round_run("notify", atoi(argv[3]), i % 2 ? bproc_node_up : bproc_node_unavailable);
    return 0;
}
