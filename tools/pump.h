/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One direction of a stream: a thread that reads here and writes there until either end is closed,
 * then closes both. Each direction has its own, so that a reader that stops never holds up another
 * stream. Descriptors may be blocking or not and are left as they are: others may share them.
 *
 * Life: pump_start(), a byte in its eventfd at the end, pump_join(), or pump_drain() when the input
 * may not end. A process may end with pumps that still wait for input.
 */
#ifndef TOOLS_PUMP_H
#define TOOLS_PUMP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct pump {
    int from, to;
    int done_fd;                /* eventfd, told at the end */
    int drain_fd;               /* eventfd, told to end */
    bool started;
    int error;                  /* errno of a write that failed; to be read when it is over */
    atomic_bool over;
    pthread_t thread;
};

/*
 * Takes `from` and `to`, also on failure. SIGPIPE must be ignored. `done_fd` stays the caller's. 0
 * or -errno. Does not block.
 */
int pump_start(struct pump *pump, int from, int to, int done_fd);

/* Has it come to its end? So has one that never started. */
bool pump_over(struct pump *pump);

/* Blocks until it has. */
void pump_join(struct pump *pump);

/* Carries what can be read already, and ends. Blocks for as long as the writing does. */
void pump_drain(struct pump *pump);

#endif
