/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "tools/bpcp_feed.h"

#define RING_SIZE (1 << 20)
#define TELL_EVERY (4 << 20)

/* What is not read along with the head of a record goes straight to where it is wanted. */
#define FILE_BUFFER 4096

enum { ORDERS, LISTENER, STREAM, LINK, CHILD, POLLS };

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* If bpcp is gone, its orders end as well. */
static void tell(const struct feed *feed, copy_order order, uint64_t number)
{
    word_put(feed->reports, &(copy_word) { .order = order, .number = number });
}

static void got_tell(struct feed *feed)
{
    if (feed->ring.end > feed->told)
        tell(feed, COPY_GOT, feed->ring.end);
    feed->told = feed->ring.end;
}

static void stream_leave(struct feed *feed)
{
    fd_close(&feed->listener);
    fd_close(&feed->stream);
    fd_close(&feed->hold);
}

/* bpcp sends the rest. */
static void stream_cut(struct feed *feed)
{
    stream_leave(feed);
    feed->chained = false;
    tell(feed, COPY_CUT, feed->ring.end);
}

/* The far side has had everything, or cannot be had. */
static void link_leave(struct feed *feed)
{
    bool lost = !feed->finished || feed->link.pos < feed->ring.end;

    link_end(&feed->link);
    if (lost)
        tell(feed, COPY_LOST, 0);
}

static int chain(struct feed *feed, const copy_word *word)
{
    if (word->number != feed->ring.end || feed->chained || feed->link.fd >= 0)
        return -EPROTO;
    feed->chained = true;
    fcntl(feed->orders, F_SETPIPE_SZ, LINK_PIPE);
    if (word->name[0] && link_start(&feed->link, word) < 0)
        tell(feed, COPY_LOST, 0);
    return 0;
}

static int order_take(struct feed *feed, const copy_word *word)
{
    switch (word->order) {
    case COPY_BYTES: feed->part = word->number; return 0;
    case COPY_CHAIN: return chain(feed, word);
    case COPY_UNCHAIN: stream_cut(feed); return 0;
    default: return -EPROTO;
    }
}

/* bpcp's next words, or a part of the stream. */
static void orders_read(struct feed *feed)
{
    copy_word word;
    ssize_t n;
    int result;

    if (feed->part > 0) {
        n = ring_read(&feed->ring, feed->orders, feed->part);
        if (n > 0)
            feed->part -= (uint64_t)n;
        result = n == 0 ? -ENODATA : n < 0 && n != -EINTR && n != -EAGAIN ? (int)n : 0;
    } else {
        result = word_get(&feed->reader, feed->orders, &word);
        if (result > 0)
            result = order_take(feed, &word);
    }
    if (result < 0)
        feed->orders = -1;
}

static void listener_read(struct feed *feed)
{
    if (listener_accept(feed->listener, feed->ring.end, &feed->stream, &feed->hold) < 0)
        stream_cut(feed);
    if (feed->stream < 0)
        return;
    fd_close(&feed->listener);
    fcntl(feed->stream, F_SETPIPE_SZ, LINK_PIPE);
}

static void stream_read(struct feed *feed)
{
    ssize_t n = ring_read(&feed->ring, feed->stream, RING_SIZE);

    if (n == 0 || (n < 0 && n != -EINTR && n != -EAGAIN))
        stream_cut(feed);
    else if (feed->ring.end - feed->told >= TELL_EVERY)
        got_tell(feed);
}

static void link_write(struct feed *feed)
{
    if (ring_write(&feed->ring, &feed->link.pos, feed->ring.end, feed->link.fd) < 0)
        link_leave(feed);
}

static void polls_fill(const struct feed *feed, struct pollfd polls[POLLS])
{
    bool room = ring_room(&feed->ring) > 0;

    for (int i = 0; i < POLLS; i++)
        polls[i] = (struct pollfd) { .fd = -1, .events = POLLIN };
    if (room || feed->part == 0)
        polls[ORDERS].fd = feed->orders;
    if (feed->chained)
        polls[LISTENER].fd = feed->listener;
    if (room)
        polls[STREAM].fd = feed->stream;
    polls[LINK].fd = feed->link.fd;
    polls[LINK].events = feed->link.pos < feed->ring.end ? POLLOUT : 0;
    polls[CHILD].fd = feed->link.child;
}

/* Forgets what has been read and passed on. */
static void ring_settle(struct feed *feed)
{
    bool behind = feed->link.fd >= 0 && feed->link.pos < feed->taken;

    ring_drop(&feed->ring, behind ? feed->link.pos : feed->taken);
}

/* Waits until something can be done, or not at all, and does it. */
static int turn(struct feed *feed, bool wait)
{
    struct pollfd polls[POLLS];

    ring_settle(feed);
    polls_fill(feed, polls);
    if (poll(polls, POLLS, wait ? -1 : 0) < 0)
        return errno == EINTR ? 0 : -errno;
    if (polls[LINK].revents & POLLOUT)
        link_write(feed);
    if (feed->link.fd >= 0 && ((polls[LINK].revents & POLLERR) || polls[CHILD].revents))
        link_leave(feed);
    if (polls[STREAM].revents)
        stream_read(feed);
    if (polls[LISTENER].revents)
        listener_read(feed);
    if (polls[ORDERS].revents)
        orders_read(feed);
    return 0;
}

static ssize_t file_read(void *cookie, char *bytes, size_t most)
{
    struct feed *feed = cookie;
    size_t count;
    int error = feed->link.fd >= 0 ? turn(feed, false) : 0;

    while (!error && feed->taken == feed->ring.end) {
        if (feed->orders < 0)
            return 0;
        error = turn(feed, true);
    }
    if (error) {
        errno = -error;
        return -1;
    }
    count = ring_copy(&feed->ring, feed->taken, bytes, most);
    feed->taken += count;
    return (ssize_t)count;
}

int feed_open(struct feed *feed, int orders, int reports)
{
    copy_word word = { .order = COPY_READY };
    int error;

    *feed = (struct feed) { .orders = orders, .reports = reports, .stream = -1, .hold = -1,
                            .link = LINK_NONE };
    feed->listener = listener_open(word.name);
    error = feed->listener < 0 ? feed->listener : ring_init(&feed->ring, RING_SIZE);
    feed->file = error ? NULL
                       : fopencookie(feed, "r", (cookie_io_functions_t) { .read = file_read });
    if (!error && !feed->file)
        error = -ENOMEM;
    if (!error) {
        setvbuf(feed->file, NULL, _IOFBF, FILE_BUFFER);
        word_put(reports, &word);
    }
    return error;
}

FILE *feed_file(struct feed *feed)
{
    return feed->file;
}

void feed_refuse(void *feed, uint32_t number)
{
    tell(feed, COPY_REFUSED, number);
}

void feed_finish(struct feed *feed)
{
    got_tell(feed);
    stream_leave(feed);
    feed->chained = false;
    feed->finished = true;
    while (feed->link.fd >= 0 && turn(feed, true) == 0)
        ;
}

void feed_close(struct feed *feed)
{
    if (feed->file)
        fclose(feed->file);
    stream_leave(feed);
    link_end(&feed->link);
    ring_free(&feed->ring);
}
