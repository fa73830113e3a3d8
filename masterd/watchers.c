/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

#include "masterd/master.h"
#include "masterd/watchers.h"

#define TELLS_A_MS 50

struct watcher {
    struct conn *conn;
    int link;
    UT_hash_handle hh;
};

static struct watcher *watchers;
static struct event *on_turn;
static int64_t last_told;

static struct watcher *watcher_find(struct conn *conn)
{
    struct watcher *watcher;

    HASH_FIND_PTR(watchers, &conn, watcher);
    return watcher;
}

int watchers_add(struct conn *conn, int link)
{
    struct watcher *watcher;

    if (watcher_find(conn))
        return 0;
    watcher = calloc(1, sizeof(*watcher));
    if (!watcher)
        return -ENOMEM;
    watcher->conn = conn;
    watcher->link = link;
    HASH_ADD_PTR(watchers, conn, watcher);
    return 0;
}

void watchers_remove(struct conn *conn)
{
    struct watcher *watcher = watcher_find(conn);

    if (!watcher)
        return;
    HASH_DEL(watchers, watcher);
    free(watcher);
}

static void all_tell(evutil_socket_t fd, short what, void *arg)
{
    struct watcher *watcher, *next;

    (void)fd;
    (void)what;
    (void)arg;
    last_told = master_now();
    HASH_ITER(hh, watchers, watcher, next) {
        if (watcher->link)
            conn_event(watcher->conn, P_NOTIFY, NULL, NULL);
        else
            conn_raw(watcher->conn, "", 1);
    }
}

/* The more there are, the longer until they are told again. */
static struct timeval pause_left(void)
{
    int64_t ms = last_told + HASH_COUNT(watchers) / TELLS_A_MS - master_now();

    return (struct timeval){ ms > 0 ? ms / 1000 : 0, ms > 0 ? ms % 1000 * 1000 : 0 };
}

void watchers_tell(void)
{
    struct timeval wait;

    if (!on_turn)
        on_turn = event_new(master.base, -1, 0, all_tell, NULL);
    if (!on_turn || event_pending(on_turn, EV_TIMEOUT, NULL))
        return;
    wait = pause_left();
    event_add(on_turn, &wait);
}

void watchers_stop(void)
{
    if (on_turn)
        event_free(on_turn);
    on_turn = NULL;
}
