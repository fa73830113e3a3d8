/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to hear whether a command runs. Short commands have ended before anybody asks: to hear it at
 * their end, and not in the middle of their start, keeps a processor free for that.
 */
#ifndef TOOLS_BPSH_ANSWERS_H
#define TOOLS_BPSH_ANSWERS_H

#include "tools/bpsh_loop.h"

/* Nobody is in a hurry to hear of this task. */
bool answer_waits(const struct run *run, const struct task *task);

/* Milliseconds after which to look again whether somebody is; -1: nothing changes by itself. */
int answers_wait(const struct run *run);

/* What comes on the line is to be heard. */
bool answers_wanted(const struct run *run);

#endif
