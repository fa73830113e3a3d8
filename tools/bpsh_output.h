/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One of the two output streams of one node, on its way to bpsh's own. Either bytes pass as they
 * come, or line by line, perhaps behind the number of the node.
 *
 * Life: output_open() with the reading end of a pipe, output_read() whenever it is readable until
 * it is closed (fd -1), which it does by itself at the end; output_close().
 */
#ifndef TOOLS_BPSH_OUTPUT_H
#define TOOLS_BPSH_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/bpsh_sink.h"

struct output_style {
    bool lines;
    bool prefix;            /* implies lines */
    size_t longest;         /* bytes of a line that are kept together */
};

struct output {
    int fd;
    struct sink *sink;
    char *line;             /* an unfinished line, style->longest bytes; NULL without lines */
    size_t used;
};

/* A stream that is not there. */
#define OUTPUT_NONE ((struct output) { .fd = -1 })

/* Takes `fd`, also on failure. 0 or -ENOMEM. */
int output_open(struct output *output, int fd, struct sink *sink, const struct output_style *style);

/* Passes on what one read() gives. Blocks only for the sink. */
void output_read(struct output *output, const struct output_style *style, int node);

void output_close(struct output *output);

#endif
