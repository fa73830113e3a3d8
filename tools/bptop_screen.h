/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bptop on a terminal. screen_run() takes the terminal, draws, obeys keys, and gives the terminal
 * back as it was, also when a signal ends it.
 */
#ifndef TOOLS_BPTOP_SCREEN_H
#define TOOLS_BPTOP_SCREEN_H

#include "tools/bptop_view.h"

struct screen_options {
    struct view view;
    double delay;               /* seconds */
    long iterations;            /* 0: until the user has enough */
    bool color;
};

/* Until `q`, a signal or the last iteration. 0, or the signal that ended it. Blocks. */
int screen_run(const struct screen_options *options);

#endif
