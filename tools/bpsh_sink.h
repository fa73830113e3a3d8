/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpsh's own stdout and stderr, collected into large writes. A sink is used with sink_put() as
 * often as needed and sink_flush() at the end of a turn. One that cannot be written any more tells
 * so, unless it is for the lack of a reader, and drops what it gets until the tool has ended its
 * tasks. Then the tool ends as well: by SIGPIPE without a reader, as any filter does, else with 1.
 */
#ifndef TOOLS_BPSH_SINK_H
#define TOOLS_BPSH_SINK_H

#include <stddef.h>

struct sink {
    int fd;
    const char *label_on, *label_off;   /* colour of labels; NULL: none */
    int error;              /* errno of a write that has failed; 0: none has */
    size_t used;
    char bytes[65536];
};

/* Appends; blocks only when the sink is full. */
void sink_put(struct sink *sink, const void *bytes, size_t len);

/* Blocks until all is written, also when the descriptor is non-blocking. */
void sink_flush(struct sink *sink);

/* Ends the tool by SIGPIPE, in silence. */
void sink_end_tool(void);

#endif
