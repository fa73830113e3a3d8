/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>

#include "moves/carrierpool.h"

#define FREE_MAX 64                 /* those of a vector, or of as many commands at a time */
#define FREE_SECONDS 60             /* the node waits twice as long */

struct carrier {
    TAILQ_ENTRY(carrier) entry;
    node_place to;
    struct conn *channel;
    time_t until;
};

/* By the time at which they became free: the last one is used first, the first one ends first. */
static TAILQ_HEAD(carrier_list, carrier) carriers = TAILQ_HEAD_INITIALIZER(carriers);
static unsigned carrier_count;
static uintptr_t mover_count;      /* the socket of each mover's children bears its number */
static struct event_base *pool_base;
static struct event *on_due;

static time_t now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void carrier_free(struct carrier *carrier)
{
    TAILQ_REMOVE(&carriers, carrier, entry);
    carrier_count--;
    free(carrier);
}

static void carrier_forget(struct carrier *carrier)
{
    struct conn *channel = carrier->channel;

    carrier_free(carrier);
    conn_set_arg(channel, NULL);
    conn_close(channel, "not needed");
}

/* It has nothing to say. */
static void carrier_message(struct conn *conn, const struct frame_header *header,
                            const uint8_t *body, int *fds, void *arg)
{
    (void)header;
    (void)body;
    (void)fds;
    (void)arg;
    conn_close(conn, "message has no place here");
}

static void carrier_closed(struct conn *conn, const char *reason, void *arg)
{
    (void)conn;
    (void)reason;
    if (arg)
        carrier_free(arg);
}

static const struct conn_ops carrier_ops = { carrier_message, carrier_closed, NULL };

/* Looks again when the first one is due, and not each time that one comes or goes. */
static void pool_look(evutil_socket_t fd, short what, void *arg)
{
    struct carrier *first;
    struct timeval wait = { .tv_sec = 0 };
    time_t now = now_seconds();

    (void)fd;
    (void)what;
    (void)arg;
    while ((first = TAILQ_FIRST(&carriers)) && first->until <= now)
        carrier_forget(first);
    if (!first)
        return;
    wait.tv_sec = first->until - now;
    event_add(on_due, &wait);
}

uintptr_t carrierpool_mover(void)
{
    return mover_count;
}

void carrierpool_put(const node_place *to, uintptr_t mover, struct conn *channel)
{
    struct carrier *carrier = mover == mover_count ? calloc(1, sizeof(*carrier)) : NULL;

    conn_set_ops(channel, &carrier_ops, carrier);
    if (!carrier) {
        conn_close(channel, "not needed");
        return;
    }
    carrier->to = *to;
    carrier->channel = channel;
    carrier->until = now_seconds() + FREE_SECONDS;
    TAILQ_INSERT_TAIL(&carriers, carrier, entry);
    if (++carrier_count > FREE_MAX)
        carrier_forget(TAILQ_FIRST(&carriers));
    if (!event_pending(on_due, EV_TIMEOUT, NULL))
        pool_look(-1, 0, NULL);
}

static void free_take(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                      int *fds, void *arg)
{
    struct conn *channel;
    node_place to;

    if (header->proc != P_CARRIER_FREE || header->nfds != 1 ||
        conn_decode(node_place, header, body, &to) < 0) {
        conn_close(conn, "message has no place here");
        return;
    }
    channel = conn_new_local(pool_base, fds[0], &carrier_ops, NULL);
    fds[0] = -1;
    if (channel)
        carrierpool_put(&to, (uintptr_t)arg, channel);
}

static void free_closed(struct conn *conn, const char *reason, void *arg)
{
    (void)conn;
    (void)reason;
    (void)arg;
}

static const struct conn_ops free_ops = { free_take, free_closed, NULL };

int carrierpool_init(struct event_base *base)
{
    pool_base = base;
    on_due = event_new(base, -1, 0, pool_look, NULL);
    return on_due ? 0 : -ENOMEM;
}

int carrierpool_open(int fd)
{
    return conn_new_local(pool_base, fd, &free_ops, (void *)mover_count) ? 0 : -ENOMEM;
}

static struct carrier *carrier_find(const node_place *to)
{
    struct carrier *carrier;

    TAILQ_FOREACH_REVERSE(carrier, &carriers, carrier_list, entry)
        if (carrier->to.node == to->node && carrier->to.addr == to->addr &&
            carrier->to.data_port == to->data_port && carrier->to.instance == to->instance)
            break;
    return carrier;
}

/* It says nothing before it has been asked to do something: what can be read is its end. */
static int has_ended(const struct carrier *carrier)
{
    char byte;

    return recv(conn_fd(carrier->channel), &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) >= 0;
}

struct conn *carrierpool_take(const node_place *to)
{
    struct carrier *carrier;
    struct conn *channel;

    while ((carrier = carrier_find(to)) && has_ended(carrier))
        carrier_forget(carrier);
    if (!carrier)
        return NULL;
    channel = carrier->channel;
    carrier_free(carrier);
    return channel;
}

void carrierpool_mover_gone(void)
{
    mover_count++;
    while (!TAILQ_EMPTY(&carriers))
        carrier_forget(TAILQ_FIRST(&carriers));
}

void carrierpool_stop(void)
{
    carrierpool_mover_gone();
    if (on_due)
        event_free(on_due);
    on_due = NULL;
}
