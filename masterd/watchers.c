/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "masterd/master.h"
#include "masterd/watchers.h"

struct watcher {
    LIST_ENTRY(watcher) entry;
    struct conn *conn;
    int link;
};

static LIST_HEAD(, watcher) watchers = LIST_HEAD_INITIALIZER(watchers);
static struct event *on_turn;

int watchers_add(struct conn *conn, int link)
{
    struct watcher *watcher;

    LIST_FOREACH(watcher, &watchers, entry)
        if (watcher->conn == conn)
            return 0;
    watcher = calloc(1, sizeof(*watcher));
    if (!watcher)
        return -ENOMEM;
    watcher->conn = conn;
    watcher->link = link;
    LIST_INSERT_HEAD(&watchers, watcher, entry);
    return 0;
}

void watchers_remove(struct conn *conn)
{
    struct watcher *watcher;

    LIST_FOREACH(watcher, &watchers, entry)
        if (watcher->conn == conn)
            break;
    if (!watcher)
        return;
    LIST_REMOVE(watcher, entry);
    free(watcher);
}

static void all_tell(evutil_socket_t fd, short what, void *arg)
{
    struct watcher *watcher;

    (void)fd;
    (void)what;
    (void)arg;
    LIST_FOREACH(watcher, &watchers, entry) {
        if (watcher->link)
            conn_event(watcher->conn, P_NOTIFY, NULL, NULL);
        else
            conn_raw(watcher->conn, "", 1);
    }
}

void watchers_tell(void)
{
    struct timeval now = { 0, 0 };

    if (!on_turn)
        on_turn = event_new(master.base, -1, 0, all_tell, NULL);
    if (on_turn && !event_pending(on_turn, EV_TIMEOUT, NULL))
        event_add(on_turn, &now);
}

void watchers_stop(void)
{
    if (on_turn)
        event_free(on_turn);
    on_turn = NULL;
}
