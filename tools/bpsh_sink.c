/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
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
    if (errno != EPIPE)
        warn("cannot write %s", sink->fd == STDOUT_FILENO ? "stdout" : "stderr");
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
