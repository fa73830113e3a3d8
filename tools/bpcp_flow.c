/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "tools/bpcp_feed.h"
#include "tools/bpcp_flow.h"

/* Part of a pipe that has to be full, and for how long that is waited for. */
#define WORTHWHILE 4
#define PATIENCE_MS 1

enum { ORDERS, CHILD, PIPE, POLLS };

/* Has bpcp something to say, or the link ended? */
static bool is_disturbed(const struct pollfd polls[POLLS])
{
    return polls[ORDERS].revents || polls[CHILD].revents;
}

/* Waits for a pipe, or just so long. False if there is something else to do. */
static bool flow_wait(const struct feed *feed, struct pollfd pipe, int ms)
{
    struct pollfd polls[POLLS] = {
        [ORDERS] = { .fd = feed->part == 0 ? feed->orders : -1, .events = POLLIN },
        [CHILD] = { .fd = feed->link.child, .events = POLLIN },
        [PIPE] = pipe
    };

    return poll(polls, POLLS, ms) >= 0 && !is_disturbed(polls);
}

/* The pipe, and how many bytes of it, as soon as that is known; -1 if it will not be. */
static int pipe_find(struct feed *feed, uint64_t *part)
{
    int pipe;

    while ((pipe = feed_pipe(feed, part)) < 0 && feed->orders >= 0)
        if (feed_turn(feed, true, 0) < 0)
            return -1;
    return pipe;
}

/* The link gets what is in the ring, before it gets what is not. */
static void link_settle(struct feed *feed)
{
    while (feed->link.fd >= 0 && feed->link.pos < feed->ring.end)
        if (feed_turn(feed, true, 0) < 0)
            return;
}

/* False if there is something else to do. */
static bool pipe_gather(const struct feed *feed, int pipe, uint64_t part)
{
    int size = fcntl(pipe, F_GETPIPE_SZ), held;

    if (size < 0 || ioctl(pipe, FIONREAD, &held) < 0)
        return false;
    /* A small pipe is full before anybody has waited. */
    if (held >= size / WORTHWHILE || (uint64_t)held >= part || size < LINK_PIPE)
        return true;
    return flow_wait(feed, (struct pollfd) { .fd = -1 }, PATIENCE_MS);
}

/* By how much the link is ahead afterwards; 0 at the end of the pipe; -1 with errno. */
static ssize_t link_feed(struct feed *feed, int pipe, size_t most)
{
    struct link *link = &feed->link;
    ssize_t n;

    if (link->pos > feed->ring.end)
        return (ssize_t)(link->pos - feed->ring.end);
    n = tee(pipe, link->fd, most, SPLICE_F_NONBLOCK);
    if (n > 0)
        link->pos += (uint64_t)n;
    return n;
}

/* -1 with errno, which is EAGAIN if the pipe is empty or the link full. */
static ssize_t bytes_move(struct feed *feed, int pipe, uint64_t part, int fd, off_t *offset,
                          size_t most)
{
    ssize_t ahead;

    if (part < most)
        most = (size_t)part;
    if (feed->link.fd >= 0) {
        ahead = link_feed(feed, pipe, part < LINK_PIPE ? (size_t)part : LINK_PIPE);
        if (ahead <= 0)
            return ahead;
        if ((size_t)ahead < most)
            most = (size_t)ahead;
    }
    return splice(pipe, NULL, fd, offset, most, SPLICE_F_NONBLOCK);
}

/* After EAGAIN: is it worth while to try again? */
static bool pipes_wait(const struct feed *feed, int pipe)
{
    int link = feed->link.fd;

    return flow_wait(feed, (struct pollfd) { .fd = pipe, .events = POLLIN }, -1) &&
           (link < 0 || flow_wait(feed, (struct pollfd) { .fd = link, .events = POLLOUT }, -1));
}

ssize_t flow_move(void *arg, int fd, off_t *offset, size_t most, bool more)
{
    struct feed *feed = arg;
    uint64_t part;
    ssize_t n;
    int pipe;

    feed->lean = more;
    do {
        pipe = feed->taken == feed->ring.end ? pipe_find(feed, &part) : -1;
        if (pipe < 0)
            return 0;
        if (feed->link.pos <= feed->ring.end && !pipe_gather(feed, pipe, part))
            return 0;
        link_settle(feed);
        if (feed_pipe(feed, &part) != pipe)
            return 0;
        n = bytes_move(feed, pipe, part, fd, offset, most);
    } while (n < 0 && errno == EAGAIN && pipes_wait(feed, pipe));
    if (n < 0 && errno != EAGAIN) {
        feed->lean = false;
        return -errno;
    }
    if (n <= 0)
        return 0;
    feed_skip(feed, (size_t)n);
    return n;
}
