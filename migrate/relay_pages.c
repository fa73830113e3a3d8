/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "migrate/relay_pages.h"

enum { STEP_MANY, STEP_FEW, STEP_ONE };

static const size_t step_pages[PAGES_STEPS] = { PAGES_MANY, PAGES_FEW, 1 };

/* Records on their way into a buffer. */
struct taking {
    uint8_t *records;
    size_t used;
    size_t taken;
};

void pages_init(struct pages *pages)
{
    for (int i = 0; i < PAGES_STEPS; i++)
        pages->pipes[i][0] = pages->pipes[i][1] = -1;
}

static void pair_close(int pair[2])
{
    for (int i = 0; i < 2; i++) {
        if (pair[i] >= 0)
            close(pair[i]);
        pair[i] = -1;
    }
}

void pages_free(struct pages *pages)
{
    for (int i = 0; i < PAGES_STEPS; i++)
        pair_close(pages->pipes[i]);
}

static int pair_open(int pair[2], int size)
{
    int error = 0;

    if (pair[0] >= 0)
        return 0;
    if (pipe2(pair, O_NONBLOCK | O_CLOEXEC) < 0)
        return -errno;
    if (fcntl(pair[1], F_SETPIPE_SZ, size) != size)
        error = errno ? -errno : -EINVAL;
    if (error)
        pair_close(pair);
    return error;
}

static ssize_t bytes_read(int fd, void *bytes, size_t len)
{
    ssize_t n;

    do {
        n = read(fd, bytes, len);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static ssize_t pages_move(int from, int to, size_t len)
{
    ssize_t n;

    do {
        n = splice(from, NULL, to, NULL, len, SPLICE_F_NONBLOCK);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Reads `len` bytes, which are there, as one record. 0, or a negative errno; -EPIPE at the end. */
static int record_take(struct taking *taking, int fd, size_t len)
{
    uint8_t *record = taking->records + taking->used;
    ssize_t n = bytes_read(fd, record + PAGES_RECORD, len);
    uint32_t length;

    if (n <= 0)
        return n < 0 ? (int)n : -EPIPE;
    length = htonl((uint32_t)n);
    memcpy(record, &length, sizeof(length));
    taking->used += PAGES_RECORD + (size_t)n;
    taking->taken += (size_t)n;
    return 0;
}

/* `fd` holds nothing but `len` bytes of full pages. One read takes all that are not packets. */
static int run_take(struct taking *taking, int fd, size_t len)
{
    uint32_t length = htonl((uint32_t)len);
    uint8_t *record = taking->records + taking->used;
    size_t have = 0;

    memcpy(record, &length, sizeof(length));
    while (have < len) {
        ssize_t n = bytes_read(fd, record + PAGES_RECORD + have, len - have);

        if (n <= 0)
            return n < 0 ? (int)n : -EIO;
        have += (size_t)n;
    }
    taking->used += PAGES_RECORD + len;
    taking->taken += len;
    return 0;
}

/* As many pages as the step has; a pipe for them is there, and that for a single one. */
static int step_take(const struct pages *pages, struct taking *taking, int fd, int step)
{
    size_t most = step_pages[step] * PIPE_BUF;
    const int *pair = pages->pipes[step];
    ssize_t moved = pages_move(fd, pair[1], most);
    size_t end = taking->taken + (moved > 0 ? (size_t)moved : 0);
    int error = 0;

    if (moved <= 0)
        return moved < 0 ? (int)moved : -EPIPE;
    if (step == STEP_ONE || (size_t)moved == most)
        return run_take(taking, pair[0], (size_t)moved);
    while (!error && taking->taken < end)
        error = step_take(pages, taking, pair[0], STEP_ONE);
    return error;
}

static int step_open(struct pages *pages, int step)
{
    int error = pair_open(pages->pipes[STEP_ONE], PIPE_BUF);

    return error ? error : pair_open(pages->pipes[step], (int)step_pages[step] * PIPE_BUF);
}

/* What waits, PAGES_MANY pages at most, in the largest steps there are enough bytes for. */
static int steps_take(struct pages *pages, struct taking *taking, int fd, size_t held)
{
    size_t room = PAGES_MANY;
    int step = STEP_MANY, error = 0;

    while (!error && room > 0 && taking->taken < held) {
        size_t left = held - taking->taken;

        /* Not a byte more than those that were seen together: the rest of its page may follow. */
        if (left <= PIPE_BUF)
            return record_take(taking, fd, left);
        while (room < step_pages[step] || left < step_pages[step] * PIPE_BUF)
            step++;
        error = step_open(pages, step);
        if (!error)
            error = step_take(pages, taking, fd, step);
        room -= step_pages[step];
    }
    return error;
}

/* How many bytes wait, or why there are none: -EAGAIN, -EPIPE, or what the kernel said. */
static int pipe_held(int fd)
{
    struct pollfd end = { .fd = fd, .events = POLLIN };
    int held;

    if (ioctl(fd, FIONREAD, &held) < 0)
        return -errno;
    if (held > 0)
        return held;
    poll(&end, 1, 0);
    return end.revents & POLLIN || !(end.revents & POLLHUP) ? -EAGAIN : -EPIPE;
}

ssize_t pages_read(struct pages *pages, int fd, uint8_t *records, size_t *taken)
{
    struct taking taking = { .records = records };
    int held = pipe_held(fd);
    int error = held < 0 ? held : steps_take(pages, &taking, fd, (size_t)held);

    *taken = taking.taken;
    if (taking.used > 0)
        return (ssize_t)taking.used;
    return error == -EPIPE ? 0 : error;
}
