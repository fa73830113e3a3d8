/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bpsh_sink.h"

void sink_end_tool(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
}

static void sink_fail(struct sink *sink)
{
    sink->error = errno;
    if (sink->path)
        warn("cannot write '%s'", sink->path);
    else if (errno != EPIPE)
        warn("cannot write %s", sink->fd == STDOUT_FILENO ? "stdout" : "stderr");
}

struct sink *sink_new(int fd, const char *path)
{
    struct sink *sink = malloc(sizeof(*sink));
    char *copy = strdup(path);

    if (!sink || !copy) {
        free(sink);
        free(copy);
        close(fd);
        return NULL;
    }
    /* Its buffer stays untouched: most files of many nodes are short. */
    sink->fd = fd;
    sink->path = copy;
    sink->label_on = sink->label_off = NULL;
    sink->error = 0;
    sink->used = 0;
    return sink;
}

void sink_close(struct sink *sink)
{
    if (sink->fd >= 0 && close(sink->fd) < 0 && errno != EINTR && !sink->error)
        sink_fail(sink);
    sink->fd = -1;
}

void sink_free(struct sink *sink)
{
    if (!sink)
        return;
    if (sink->fd >= 0)
        close(sink->fd);
    free(sink->path);
    free(sink);
}

void sink_flush(struct sink *sink)
{
    size_t done = 0;

    while (done < sink->used && !sink->error) {
        ssize_t n = write(sink->fd, sink->bytes + done, sink->used - done);

        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN)
            poll(&(struct pollfd) { .fd = sink->fd, .events = POLLOUT }, 1, -1);
        else if (errno != EINTR)
            sink_fail(sink);
    }
    sink->used = 0;
}

void sink_put(struct sink *sink, const void *bytes, size_t len)
{
    while (len > 0) {
        size_t room = sizeof(sink->bytes) - sink->used;
        size_t n = len < room ? len : room;

        memcpy(sink->bytes + sink->used, bytes, n);
        sink->used += n;
        bytes = (const char *)bytes + n;
        len -= n;
        if (sink->used == sizeof(sink->bytes))
            sink_flush(sink);
    }
}
