/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/conn.h"
#include "common/fd.h"
#include "moves/carrierpool.h"

#define FREE_MAX 64                 /* those of a vector, or of as many commands at a time */
#define FREE_SECONDS 60             /* the node waits twice as long */

struct carrier {
    TAILQ_ENTRY(carrier) entry;
    node_place to;
    int channel;
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

static void carrier_forget(struct carrier *carrier)
{
    TAILQ_REMOVE(&carriers, carrier, entry);
    carrier_count--;
    fd_close(&carrier->channel);
    free(carrier);
}

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

static void carrier_add(const node_place *to, int channel)
{
    struct carrier *carrier = calloc(1, sizeof(*carrier));

    if (!carrier) {
        close(channel);
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
    node_place to;

    if (header->proc != P_CARRIER_FREE || header->nfds != 1 ||
        conn_decode(node_place, header, body, &to) < 0) {
        conn_close(conn, "message has no place here");
        return;
    }
    if ((uintptr_t)arg != mover_count)
        return;
    carrier_add(&to, fds[0]);
    fds[0] = -1;
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

    return recv(carrier->channel, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) >= 0;
}

int carrierpool_take(const node_place *to)
{
    struct carrier *carrier;
    int channel = -ENOENT;

    while (channel < 0 && (carrier = carrier_find(to))) {
        if (!has_ended(carrier)) {
            channel = carrier->channel;
            carrier->channel = -1;
        }
        carrier_forget(carrier);
    }
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
