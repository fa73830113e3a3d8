/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "migrate/relay_pages.h"

/* Records on their way into a buffer. */
struct taking {
    uint8_t *records;
    size_t used;
    size_t taken;
};

void pages_init(struct pages *pages)
{
    *pages = (struct pages){ .many = { -1, -1 }, .one = { -1, -1 } };
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
    pair_close(pages->many);
    pair_close(pages->one);
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

static int page_take(struct pages *pages, struct taking *taking, int fd)
{
    ssize_t len = pages_move(fd, pages->one[1], PIPE_BUF);

    if (len <= 0)
        return len < 0 ? (int)len : -EPIPE;
    return record_take(taking, pages->one[0], (size_t)len);
}

/* `many` holds nothing but full pages. One read takes all that are not packets. */
static int run_take(const struct pages *pages, struct taking *taking)
{
    uint32_t length = htonl(PAGES_RUN);

    memcpy(taking->records, &length, sizeof(length));
    while (taking->taken < PAGES_RUN) {
        ssize_t n = bytes_read(pages->many[0], taking->records + PAGES_RECORD + taking->taken,
                               PAGES_RUN - taking->taken);

        if (n <= 0)
            return n < 0 ? (int)n : -EIO;
        taking->taken += (size_t)n;
    }
    taking->used = PAGES_RECORD + PAGES_RUN;
    return 0;
}

static int many_take(struct pages *pages, struct taking *taking, int fd)
{
    ssize_t moved = pages_move(fd, pages->many[1], PAGES_RUN);
    int error = 0;

    if (moved <= 0)
        return moved < 0 ? (int)moved : -EPIPE;
    if (moved == PAGES_RUN)
        return run_take(pages, taking);
    while (!error && taking->taken < (size_t)moved)
        error = page_take(pages, taking, pages->many[0]);
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
    int held = pipe_held(fd), error = held < 0 ? held : 0;

    /* Not a byte more than those that were seen together: the rest of its page may follow. */
    if (!error && held <= PIPE_BUF)
        error = record_take(&taking, fd, (size_t)held);
    else if (!error)
        error = pair_open(pages->one, PIPE_BUF);
    if (!error && held > PIPE_BUF)
        error = pair_open(pages->many, PAGES_RUN);
    if (!error && held > PIPE_BUF)
        error = many_take(pages, &taking, fd);
    *taken = taking.taken;
    return error == -EPIPE ? 0 : error ? error : (ssize_t)taking.used;
}
