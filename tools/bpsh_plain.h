/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output of a single task that goes where the tool's own does. Terminals, pipes and sockets the
 * command gets itself. Files may be full, and what the caller has closed takes nothing, which
 * nobody would tell: their bytes pass through the tool, whose write fails with a reason. So do
 * those of files of the tasks' own (bpsh_outfile.h).
 *
 * Life: plain_choose() before the task starts, plain_leave() when it is over. Processes that the
 * command leaves behind may still write then, as they could to the file itself.
 */
#ifndef TOOLS_BPSH_PLAIN_H
#define TOOLS_BPSH_PLAIN_H

#include "tools/bpsh_loop.h"

/* Sets those of plan->streams that are STREAM_OWN, and that the task does not wait for them. */
void plain_choose(struct task_plan *plan);

/*
 * Passes on what is there of the output of all tasks, and leaves the rest to a child that nobody
 * waits for. Blocks for the sinks. What cannot be written is as
 * bpsh_sink.h says.
 */
void plain_leave(struct run *run);

#endif
