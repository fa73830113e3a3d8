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

/* Bytes of a record's head in front of data, and behind them: with its length. */
#define RECORD_HEAD 20

/* Bytes that the link may be behind while others are read. */
#define LINK_LAG (64 << 10)

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
static void orders_read(struct feed *feed, size_t most)
{
    copy_word word;
    ssize_t n;
    int result;

    if (feed->part > 0) {
        n = ring_read(&feed->ring, feed->orders, feed->part < most ? feed->part : most);
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

static void stream_read(struct feed *feed, size_t most)
{
    ssize_t n = ring_read(&feed->ring, feed->stream, most);

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

static void polls_fill(const struct feed *feed, struct pollfd polls[POLLS], size_t most)
{
    bool room = most > 0 && ring_room(&feed->ring) > 0;

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

int feed_turn(struct feed *feed, bool wait, size_t most)
{
    struct pollfd polls[POLLS];

    ring_settle(feed);
    polls_fill(feed, polls, most);
    if (poll(polls, POLLS, wait ? -1 : 0) < 0)
        return errno == EINTR ? 0 : -errno;
    if (polls[LINK].revents & POLLOUT)
        link_write(feed);
    if (feed->link.fd >= 0 && ((polls[LINK].revents & POLLERR) || polls[CHILD].revents))
        link_leave(feed);
    if (polls[STREAM].revents)
        stream_read(feed, most);
    if (polls[LISTENER].revents)
        listener_read(feed);
    if (polls[ORDERS].revents)
        orders_read(feed, most);
    return 0;
}

/* As long as the link is not far behind it waits until there is nothing else to do. */
static bool link_lags(const struct feed *feed)
{
    return feed->link.fd >= 0 && feed->link.pos + LINK_LAG <= feed->taken;
}

ssize_t feed_read(void *arg, void *bytes, size_t most)
{
    struct feed *feed = arg;
    size_t count, ahead = !feed->lean ? RING_SIZE : most < RECORD_HEAD ? RECORD_HEAD : most;
    int error = link_lags(feed) ? feed_turn(feed, false, ahead) : 0;

    while (!error && feed->taken == feed->ring.end) {
        if (feed->orders < 0)
            return 0;
        error = feed_turn(feed, true, ahead);
    }
    if (error)
        return error;
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
    /* It works with less, too. */
    fcntl(orders, F_SETPIPE_SZ, LINK_PIPE);
    feed->listener = listener_open(word.name);
    error = feed->listener < 0 ? feed->listener : ring_init(&feed->ring, RING_SIZE);
    if (!error)
        word_put(reports, &word);
    return error;
}

int feed_pipe(const struct feed *feed, uint64_t *most)
{
    *most = feed->part > 0 ? feed->part : UINT64_MAX;
    return feed->part > 0 ? feed->orders : feed->stream;
}

void feed_skip(struct feed *feed, size_t count)
{
    ring_skip(&feed->ring, count);
    feed->taken = feed->ring.end;
    if (feed->part > 0)
        feed->part -= count;
    else if (feed->ring.end - feed->told >= TELL_EVERY)
        got_tell(feed);
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
    while (feed->link.fd >= 0 && feed_turn(feed, true, RING_SIZE) == 0)
        ;
}

void feed_close(struct feed *feed)
{
    stream_leave(feed);
    link_end(&feed->link);
    ring_free(&feed->ring);
}
