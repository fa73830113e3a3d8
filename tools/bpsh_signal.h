/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals that come to bpsh while tasks run; loop.h tells what is done with which. */
#ifndef TOOLS_BPSH_SIGNAL_H
#define TOOLS_BPSH_SIGNAL_H

#include <stdbool.h>

#include "tools/bpsh_loop.h"

/*
 * Reads one from run->child_fd and acts on it. True when it was SIGCHLD, which is left to the
 * caller. Does not block.
 */
bool signal_take(struct run *run);

#endif
