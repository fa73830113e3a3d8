/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends a task with all its descendants, not only the process that bpsh knows: a child of bpsh that
 * runs bproc-endtree on the task's node. ender_start() starts it, ender_reap() takes its end, and
 * when it could not do its work falls back on the process alone. The loop kills both when they take
 * too long.
 */
#ifndef TOOLS_BPSH_ENDER_H
#define TOOLS_BPSH_ENDER_H

#include "tools/bpsh_task.h"

/*
 * SIGTERM and, `grace` seconds later, SIGKILL; with 0 SIGKILL at once. One that is at work already
 * is replaced. Does not block.
 */
void ender_start(struct task *task, const struct task_plan *plan, int grace);

/* To be called when a child has ended. Does not block. */
void ender_reap(struct task *task);

#endif
