/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one turn of bpsh's loop waits for: descriptors, and the task that each belongs to.
 *
 * Life: waits_init() for a number of tasks; each turn sets `count` to 0 and adds what it is to
 * hear of; waits_free().
 */
#ifndef TOOLS_BPSH_WAITS_H
#define TOOLS_BPSH_WAITS_H

#include <poll.h>
#include <stddef.h>

struct task;

struct waits {
    struct pollfd *polls;
    struct task **tasks;            /* tasks[i] stands for polls[i]; NULL: it belongs to none */
    size_t count;
};

/* 0 or -ENOMEM; waits_free() either way. */
int waits_init(struct waits *waits, size_t tasks);
void waits_free(struct waits *waits);

/* Nothing if there is no such descriptor: -1. At most four for each task, and two for none. */
void waits_add(struct waits *waits, struct task *task, int fd, short events);

#endif
