/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpsh's own stdout and stderr, or a file, collected into large writes. A sink is used with
 * sink_put() as often as needed and sink_flush() at the end of a turn. One that cannot be written
 * any more tells so, unless stdout or stderr lack a reader, and drops what it gets until the tool
 * has ended its tasks. Then the tool ends as well: by SIGPIPE without a reader, as any filter does,
 * else with 1.
 */
#ifndef TOOLS_BPSH_SINK_H
#define TOOLS_BPSH_SINK_H

#include <stddef.h>

struct sink {
    int fd;                 /* -1: closed */
    char *path;             /* of a file; NULL: it is bpsh's own stdout or stderr */
    const char *label_on, *label_off;   /* colour of labels; NULL: none */
    int error;              /* errno of a write that has failed; 0: none has */
    size_t used;
    char bytes[65536];
};

/* One for the open file `fd`, which it takes, also on failure. NULL without memory. */
struct sink *sink_new(int fd, const char *path);

/* Closes it if it is open; only that may tell that what was written is lost. */
void sink_close(struct sink *sink);

/* Takes NULL, too. */
void sink_free(struct sink *sink);

/* Appends; blocks only when the sink is full. */
void sink_put(struct sink *sink, const void *bytes, size_t len);

/* Blocks until all is written, also when the descriptor is non-blocking. */
void sink_flush(struct sink *sink);

/* Ends the tool by SIGPIPE, in silence. */
void sink_end_tool(void);

#endif
