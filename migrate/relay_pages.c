/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "migrate/relay_pages.h"

#define MANY_BYTES (PAGES_MANY * PIPE_BUF)

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

/* `many` holds nothing but full pages. */
static int full_take(const struct pages *pages, struct taking *taking)
{
    struct iovec iov[PAGES_MANY];
    uint32_t length = htonl(PIPE_BUF);

    for (size_t i = 0; i < PAGES_MANY; i++) {
        uint8_t *record = taking->records + i * (PAGES_RECORD + PIPE_BUF);

        memcpy(record, &length, sizeof(length));
        iov[i] = (struct iovec){ .iov_base = record + PAGES_RECORD, .iov_len = PIPE_BUF };
    }
    /* One read takes all, unless the process has put its pipe into packet mode. */
    while (taking->taken < MANY_BYTES) {
        size_t done = taking->taken / PIPE_BUF;
        ssize_t n = readv(pages->many[0], iov + done, (int)(PAGES_MANY - done));

        if (n <= 0 && errno != EINTR)
            return n < 0 ? -errno : -EIO;
        taking->taken += n > 0 ? (size_t)n : 0;
    }
    taking->used = PAGES_MANY * (PAGES_RECORD + PIPE_BUF);
    return 0;
}

static int many_take(struct pages *pages, struct taking *taking, int fd)
{
    ssize_t moved = pages_move(fd, pages->many[1], MANY_BYTES);
    int error = 0;

    if (moved <= 0)
        return moved < 0 ? (int)moved : -EPIPE;
    if (moved == MANY_BYTES)
        return full_take(pages, taking);
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
        error = pair_open(pages->many, MANY_BYTES);
    if (!error && held > PIPE_BUF)
        error = many_take(pages, &taking, fd);
    *taken = taking.taken;
    return error == -EPIPE ? 0 : error ? error : (ssize_t)taking.used;
}
