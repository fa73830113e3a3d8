/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a run is: a line at the bottom of the terminal that is rewritten as it changes, and the
 * state in full when somebody asks. Both go to stderr.
 *
 * The line is taken away before anything else is printed, progress_hide(), and comes back
 * afterwards, progress_show(), but not too often.
 */
#ifndef TOOLS_BPSH_PROGRESS_H
#define TOOLS_BPSH_PROGRESS_H

#include "tools/bpsh_loop.h"

struct progress {
    bool shown;
    int64_t last;               /* when it was shown, tool_clock() */
};

/* Nothing happens in these without run->progress. */
void progress_show(struct run *run);
void progress_hide(struct run *run);

/* Milliseconds until it is to be shown, -1: it is, or there is none. */
int progress_wait(const struct run *run);

/* Which nodes wait, start, run, have ended and have failed. */
void progress_print(const struct run *run);

#endif
