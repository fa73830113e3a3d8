/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A progress bar on stderr: how much of a copy every node has, how fast it goes and how long it
 * may take.
 *
 * Life: bar_start(), bar_show() at any time, bar_end(). Without `wanted` they do
 * nothing.
 */
#ifndef TOOLS_BPCP_BAR_H
#define TOOLS_BPCP_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct bar {
    bool wanted;
    bool shown;
    struct timespec start, last;    /* monotonic; of the copy, of the last line */
    uint64_t past;                  /* bytes of transfers that are over */
    uint64_t done, total;           /* bytes; total 0: not known yet */
};

void bar_start(struct bar *bar, bool wanted);

/* Draws a line if the last is some time ago. May block for the terminal. */
void bar_show(struct bar *bar, uint64_t done, uint64_t total);

/* How long poll(2) may wait until there is a line to draw: milliseconds, -1 for ever. */
int bar_timeout(const struct bar *bar);

/* What has been done counts as over: what comes next begins at 0 again. */
void bar_next(struct bar *bar);

/* Draws the last line. */
void bar_end(struct bar *bar);

/* Text of a line, without what moves the cursor. At most len bytes, NUL included. */
void bar_format(char *text, size_t len, uint64_t done, uint64_t total, double seconds);

#endif
