/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of bptop, the same on a screen and in a batch. None blocks; all text ends with a NUL.
 */
#ifndef TOOLS_BPTOP_FORMAT_H
#define TOOLS_BPTOP_FORMAT_H

#include "tools/bptop_view.h"

#define FORMAT_MAX 512

extern const char format_node_header[];
extern const char format_proc_header[];

/*
 * What is shown, in one line, the master aside:
 * "14:03:22, 3 of 4 nodes up, 12 processes, CPU 37%, memory 3.1G of 24.0G"
 */
void format_summary(char line[FORMAT_MAX], const struct picture *picture, const struct view *view,
                    time_t when);

void format_node(char line[FORMAT_MAX], const struct top_node *node);
void format_proc(char line[FORMAT_MAX], const struct top_proc *proc);

/*
 * Copies what can be shown of `text` in the present locale and in so many columns to line; each
 * byte that cannot becomes a question mark.
 */
void format_fit(char *line, size_t len, const char *text, int columns);

#endif
