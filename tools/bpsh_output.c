/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bpsh_output.h"

int output_open(struct output *output, int fd, struct sink *sink, const struct output_style *style)
{
    *output = (struct output) { .fd = fd, .sink = sink };
    if (style->lines)
        output->line = malloc(style->longest);
    if (style->lines && !output->line) {
        output_close(output);
        return -ENOMEM;
    }
    return 0;
}

void output_close(struct output *output)
{
    if (output->fd >= 0)
        close(output->fd);
    free(output->line);
    *output = OUTPUT_NONE;
}

/* One line, with its newline if it has one; under a prefix every line gets one. */
static void line_put(struct output *output, const struct output_style *style, int node,
                     const char *line, size_t len)
{
    char prefix[16];

    if (style->prefix) {
        snprintf(prefix, sizeof(prefix), "%3d: ", node);
        sink_put(output->sink, prefix, strlen(prefix));
    }
    sink_put(output->sink, line, len);
    if (style->prefix && line[len - 1] != '\n')
        sink_put(output->sink, "\n", 1);
}

/* Puts the whole lines of the buffer, or all of it when it is full without one. */
static void lines_put(struct output *output, const struct output_style *style, int node)
{
    size_t done = 0;
    char *end;

    while ((end = memchr(output->line + done, '\n', output->used - done)) != NULL) {
        size_t next = (size_t)(end - output->line) + 1;

        line_put(output, style, node, output->line + done, next - done);
        done = next;
    }
    if (done == 0 && output->used == style->longest) {
        line_put(output, style, node, output->line, output->used);
        done = output->used;
    }
    output->used -= done;
    memmove(output->line, output->line + done, output->used);
}

void output_read(struct output *output, const struct output_style *style, int node)
{
    char bytes[65536];
    char *to = style->lines ? output->line + output->used : bytes;
    size_t room = style->lines ? style->longest - output->used : sizeof(bytes);
    ssize_t n = read(output->fd, to, room);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0 && style->lines) {
        output->used += (size_t)n;
        lines_put(output, style, node);
    } else if (n > 0) {
        sink_put(output->sink, bytes, (size_t)n);
    } else {
        if (output->used > 0)
            line_put(output, style, node, output->line, output->used);
        sink_flush(output->sink);
        output_close(output);
        return;
    }
    sink_flush(output->sink);
}
