/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tools/bpsh_waits.h"

#define FDS_A_TASK 4
#define FDS_OF_NONE 3

int waits_init(struct waits *waits, size_t tasks)
{
    size_t room = FDS_OF_NONE + FDS_A_TASK * tasks;

    waits->polls = calloc(room, sizeof(*waits->polls));
    waits->tasks = calloc(room, sizeof(*waits->tasks));
    return waits->polls && waits->tasks ? 0 : -ENOMEM;
}

void waits_free(struct waits *waits)
{
    free(waits->polls);
    free(waits->tasks);
}

void waits_add(struct waits *waits, struct task *task, int fd, short events)
{
    if (fd < 0)
        return;
    waits->polls[waits->count] = (struct pollfd) { .fd = fd, .events = events };
    waits->tasks[waits->count++] = task;
}
