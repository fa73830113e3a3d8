/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpsh's own stdout and stderr, collected into large writes. A sink is used with sink_put() as
 * often as needed and sink_flush() at the end of a turn. If nobody reads any more it is `unread`
 * and drops what it gets, until the tool has ended its tasks and ends by SIGPIPE, as any filter
 * does; another write error ends the tool with a message and status 1.
 */
#ifndef TOOLS_BPSH_SINK_H
#define TOOLS_BPSH_SINK_H

#include <stdbool.h>
#include <stddef.h>

struct sink {
    int fd;
    const char *label_on, *label_off;   /* colour of labels; NULL: none */
    bool unread;
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
