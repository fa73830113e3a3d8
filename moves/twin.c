/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "moves/task.h"
#include "moves/twin.h"

#define CHILDREN 16                     /* of a process that was forked a moment ago */

/* The child of the process at the gate that has that number for itself; 0. */
static pid_t child_find(pid_t parent, int number)
{
    pid_t list[CHILDREN];
    int count = task_children(parent, list, CHILDREN);

    for (int i = 0; i < count && i < CHILDREN; i++)
        if (task_number(list[i]) == number)
            return list[i];
    return 0;
}

/* The same, if it is its owner's alone. */
static pid_t child_examine(const struct move *move, int number)
{
    static struct task task;            /* too large for the stack of a callback */
    pid_t child = child_find(move->dump_task, number);

    if (child <= 0 || task_read(child, &task) < 0 || task.ppid != move->dump_task ||
        !task_is_plain(&task, move->uid))
        return 0;
    return child;
}

int twin_take(struct move *move, const struct frame_header *header, const uint8_t *body,
              char *text, size_t len)
{
    twin_msg msg;
    pid_t holder;

    move->dump.pid = move->dump_pid;
    if (header->body_len == 0)
        return 0;
    if (conn_decode(twin_msg, header, body, &msg) < 0) {
        snprintf(text, len, "the twin of process %d does not decode", move->pid);
        return EPROTO;
    }
    holder = msg.holder ? child_examine(move, msg.holder) : move->dump_task;
    /* What a vector shares is read from a process that is held. */
    if (child_examine(move, msg.pid) <= 0 || holder <= 0 || (msg.holder && move->vector)) {
        frame_free(FRAME_XDR(twin_msg), &msg, sizeof(msg));
        snprintf(text, len, "process %d is no twin of process %d", msg.pid, move->pid);
        return EPERM;
    }
    move->dump = (dump_arg){ .pid = msg.pid, .lazy = msg.holder != 0,
                             .source = msg.holder ? msg.holder : move->dump_pid,
                             .source_task = holder,
                             .regions = { msg.regions.regions_len, msg.regions.regions_val } };
    return 0;
}
