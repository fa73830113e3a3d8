/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One of the two output streams of one node, on its way to bpsh's own. Either bytes pass as they
 * come, or line by line, perhaps behind the number or the name of the node, or all is kept.
 *
 * Life: output_open() with the reading end of a pipe, output_read() whenever it is readable until
 * the end, when it closes the pipe by itself (fd -1); output_close() when what was kept is no
 * longer needed, or before the end.
 */
#ifndef TOOLS_BPSH_OUTPUT_H
#define TOOLS_BPSH_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/bpsh_sink.h"

struct output_style {
    bool lines;
    bool prefix;            /* "  3: " in front of each; implies lines */
    bool label;             /* "n3: " in front of each; implies lines */
    size_t longest;         /* bytes of a line that are kept together */
};

/* Bytes that are kept. */
struct output_text {
    char *bytes;
    size_t len, room;
};

struct output {
    int fd;
    struct sink *sink;      /* NULL: all is kept */
    struct output_text text;
    char *line;             /* an unfinished line, style->longest bytes; NULL without lines */
    size_t used;
};

/* A stream that is not there. */
#define OUTPUT_NONE ((struct output) { .fd = -1 })

/* Takes `fd`, also on failure. 0 or -ENOMEM. */
int output_open(struct output *output, int fd, struct sink *sink, const struct output_style *style);

/*
 * Passes on or keeps what one read() gives. Blocks only for the sink. Without memory to keep it
 * the tool ends with a message and status 1. How many bytes that were.
 */
size_t output_read(struct output *output, const struct output_style *style, int node);

/* It passes bytes on, but cannot any more. */
bool output_failed(const struct output *output);

/* Passes on or keeps what has come by now, without waiting for the end, which may be there, too. */
void output_drain(struct output *output, const struct output_style *style, int node);

/* Closes the pipe, whether or not there was more to come; an unfinished line is passed on. */
void output_end(struct output *output, const struct output_style *style, int node);

void output_close(struct output *output);

#endif
