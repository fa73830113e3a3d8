/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/bpsh_output.h"

#define READ_SIZE 65536

int output_open(struct output *output, int fd, struct sink *sink, const struct output_style *style)
{
    *output = (struct output) { .fd = fd, .sink = sink };
    if (style->lines && sink)
        output->line = malloc(style->longest);
    if (style->lines && sink && !output->line) {
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
    free(output->text.bytes);
    *output = OUTPUT_NONE;
}

static void label_put(const struct output *output, const struct output_style *style, int node)
{
    struct sink *sink = output->sink;
    char label[32];

    if (style->prefix)
        snprintf(label, sizeof(label), "%3d: ", node);
    else if (node >= 0)
        snprintf(label, sizeof(label), "n%d: ", node);
    else
        snprintf(label, sizeof(label), "master: ");
    if (sink->label_on)
        sink_put(sink, sink->label_on, strlen(sink->label_on));
    sink_put(sink, label, strlen(label));
    if (sink->label_off)
        sink_put(sink, sink->label_off, strlen(sink->label_off));
}

/* One line, with its newline if it has one; behind a label every line gets one. */
static void line_put(const struct output *output, const struct output_style *style, int node,
                     const char *line, size_t len)
{
    bool labelled = style->prefix || style->label;

    if (labelled)
        label_put(output, style, node);
    sink_put(output->sink, line, len);
    if (labelled && line[len - 1] != '\n')
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

static void text_room(struct output_text *text, size_t more)
{
    size_t room = text->room ? 2 * text->room : more;
    char *bytes;

    if (text->room - text->len >= more)
        return;
    bytes = realloc(text->bytes, room);
    if (!bytes)
        errx(1, "cannot keep %zu bytes of output: %s", room, strerror(ENOMEM));
    text->bytes = bytes;
    text->room = room;
}

/* Where the next bytes go: *room of them. */
static char *target_get(struct output *output, const struct output_style *style, char *passing,
                        size_t *room)
{
    if (!output->sink) {
        text_room(&output->text, READ_SIZE);
        *room = output->text.room - output->text.len;
        return output->text.bytes + output->text.len;
    }
    *room = style->lines ? style->longest - output->used : READ_SIZE;
    return style->lines ? output->line + output->used : passing;
}

void output_end(struct output *output, const struct output_style *style, int node)
{
    if (output->used > 0)
        line_put(output, style, node, output->line, output->used);
    output->used = 0;
    free(output->line);
    output->line = NULL;
    if (output->sink)
        sink_flush(output->sink);
    if (output->fd >= 0)
        close(output->fd);
    output->fd = -1;
}

size_t output_read(struct output *output, const struct output_style *style, int node)
{
    char passing[READ_SIZE];
    size_t room;
    char *to = target_get(output, style, passing, &room);
    ssize_t n = read(output->fd, to, room);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n <= 0) {
        output_end(output, style, node);
        return 0;
    }
    if (!output->sink) {
        output->text.len += (size_t)n;
        return (size_t)n;
    }
    if (style->lines) {
        output->used += (size_t)n;
        lines_put(output, style, node);
    } else {
        sink_put(output->sink, passing, (size_t)n);
    }
    sink_flush(output->sink);
    return (size_t)n;
}

bool output_failed(const struct output *output)
{
    return output->sink && output->sink->error != 0;
}

/* Whoever writes on all the while is not waited for. One look more finds the end. */
void output_drain(struct output *output, const struct output_style *style, int node)
{
    size_t n = 1, done = 0;
    int there = 0;

    if (output->fd < 0 || ioctl(output->fd, FIONREAD, &there) < 0)
        return;
    for (; n > 0 && done <= (size_t)there; done += n)
        n = output_read(output, style, node);
}
