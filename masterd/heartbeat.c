/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "common/conn.h"
#include "masterd/heartbeat.h"
#include "masterd/link_impl.h"
#include "masterd/master.h"

#define TICK_MS 250
#define PINGS_A_TICK 25
/* The kernels count in seconds: below this, nobody but we can keep the time. */
#define SHORT_TIMEOUT_MS 4000

TAILQ_HEAD(link_queue, link);

/* By the time they were heard; by the time they were asked. */
static struct link_queue quiet = TAILQ_HEAD_INITIALIZER(quiet);
static struct link_queue asked = TAILQ_HEAD_INITIALIZER(asked);
static struct event *on_tick;
static int64_t last_tick;

static int64_t timeout_ms(void)
{
    return (int64_t)master.conf->ping_timeout * 1000;
}

static void queue_move(struct link *link, struct link_queue *to)
{
    if (link->queue)
        TAILQ_REMOVE(link->queue, link, beat);
    link->queue = to;
    if (to)
        TAILQ_INSERT_TAIL(to, link, beat);
}

static void silent_close(int64_t now)
{
    struct link *link;
    char reason[80];

    while ((link = TAILQ_FIRST(&asked)) != NULL && now - link->asked >= timeout_ms() * 3 / 4) {
        snprintf(reason, sizeof(reason), "nothing heard for %d s",
                 (int)((now - link->heard + 500) / 1000));
        conn_close(link->conn, reason);
    }
}

static void quiet_ask(int64_t now)
{
    int most = timeout_ms() < SHORT_TIMEOUT_MS ? BPROC_MAX_NODES : PINGS_A_TICK;
    struct link *link;

    while ((link = TAILQ_FIRST(&quiet)) != NULL && now - link->heard >= timeout_ms() / 4 &&
           most-- > 0) {
        link->asked = now;
        queue_move(link, &asked);
        conn_send(link->conn, K_CALL, P_PING, 0, 0, NULL, NULL, NULL, 0);
    }
}

/* We did not run: what they said meanwhile is still to be read. */
static void asked_excuse(int64_t now)
{
    struct link *link;

    TAILQ_FOREACH(link, &asked, beat)
        link->asked = now;
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
    int64_t now = master_now();

    (void)fd;
    (void)what;
    (void)arg;
    if (now - last_tick > 4 * TICK_MS)
        asked_excuse(now);
    last_tick = now;
    silent_close(now);
    quiet_ask(now);
}

void heartbeat_begin(struct link *link)
{
    link->heard = master_now();
    queue_move(link, &quiet);
}

void heartbeat_heard(struct link *link)
{
    if (link->queue)
        heartbeat_begin(link);
}

int heartbeat_is_awaited(const struct link *link)
{
    return link->queue == &asked;
}

void heartbeat_end(struct link *link)
{
    queue_move(link, NULL);
}

int heartbeat_start(void)
{
    struct timeval period = { 0, TICK_MS * 1000 };

    last_tick = master_now();
    on_tick = event_new(master.base, -1, EV_PERSIST, tick, NULL);
    return on_tick && event_add(on_tick, &period) == 0 ? 0 : -ENOMEM;
}

void heartbeat_stop(void)
{
    if (on_tick)
        event_free(on_tick);
    on_tick = NULL;
}
