/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the programs in this folder that check fork's promises: each forks itself onto the node its
 * first argument names and reports in TAP from both sides. The script that runs it counts anew.
 */
#ifndef TESTS_REMOTE_H
#define TESTS_REMOTE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tap.h"

/* The node of the first argument; ends the program if there is none. */
__attribute__((unused))
static int remote_node(int argc, char **argv)
{
    if (argc >= 2)
        return atoi(argv[1]);
    fprintf(stderr, "Usage: %s NODE [ARGUMENT]...\n", argv[0]);
    exit(2);
}

/* bproc_rfork() that must succeed. */
__attribute__((unused))
static int remote_fork(int node)
{
    int pid;

    fflush(stdout);
    pid = bproc_rfork(node);
    if (pid >= 0)
        return pid;
    ok(0, "rfork to node %d: %s", node, bproc_strerror(errno));
    exit(1);
}

/* Runs `look` in a child on the node; all that it reports must come true. */
__attribute__((unused))
static void remote_look(int node, void (*look)(void))
{
    int pid = remote_fork(node), status = -1;

    if (pid == 0) {
        look();
        fflush(stdout);
        _exit(tap_failed ? 1 : 0);
    }
    ok(waitpid(pid, &status, 0) == pid, "the parent can wait for its child");
    is_int(status, 0, "the child looked at everything");
}

__attribute__((unused))
static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Polls until `condition` holds, or for twenty seconds. Its last value. */
#define eventually(condition)                                                       \
    ({                                                                              \
        double eventually_end = seconds_now() + 20;                                 \
        int eventually_held;                                                        \
                                                                                    \
        while (!(eventually_held = (condition)) && seconds_now() < eventually_end)  \
            usleep(2000);                                                           \
        eventually_held;                                                            \
    })

/* waitpid() for at most twenty seconds; 0 when nothing happened in that time. */
__attribute__((unused))
static int wait_bounded(int pid, int *status, int options)
{
    double end = seconds_now() + 20;
    int got;

    *status = -1;
    while ((got = waitpid(pid, status, options | WNOHANG)) == 0 && seconds_now() < end)
        usleep(1000);
    return got;
}

#endif
