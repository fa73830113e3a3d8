/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loop does with stdin: input for the tasks, or keys that ask for the state. */
#ifndef TOOLS_BPSH_STDIN_H
#define TOOLS_BPSH_STDIN_H

#include <stdbool.h>

#include "tools/bpsh_loop.h"

/* Is there anything to be read for, and room for it? */
bool stdin_wanted(const struct run *run);

/*
 * Takes what has come. Where the caller is in the background that stops its process group, unless a
 * signal is to end the run.
 */
void stdin_read(struct run *run);

/* How many milliseconds from now stdin_wanted() may have changed by itself; -1: it does not. */
int stdin_wait(const struct run *run);

/* Passes on the end of stdin and forgets what every node has had. */
void stdin_settle(struct run *run);

#endif
