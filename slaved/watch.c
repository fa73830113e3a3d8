/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "slaved/link.h"
#include "slaved/watch.h"

/* A client that waits for changes. */
struct watcher {
    LIST_ENTRY(watcher) next;
    struct conn *conn;
};

static LIST_HEAD(, watcher) watchers = LIST_HEAD_INITIALIZER(watchers);

static struct watcher *watcher_find(const struct conn *conn)
{
    struct watcher *watcher;

    LIST_FOREACH(watcher, &watchers, next)
        if (watcher->conn == conn)
            break;
    return watcher;
}

void watch_take(struct conn *conn, const struct frame_header *header)
{
    struct watcher *watcher = watcher_find(conn) ? NULL : calloc(1, sizeof(*watcher));

    if (watcher) {
        watcher->conn = conn;
        LIST_INSERT_HEAD(&watchers, watcher, next);
    } else if (!watcher_find(conn)) {
        conn_refuse(conn, header, ENOMEM, "out of memory");
        return;
    }
    /* Without a link it is asked for when there is one. */
    link_event(P_NOTIFY, NULL, NULL);
    conn_reply(conn, header, NULL, NULL);
}

void watch_drop(const struct conn *conn)
{
    struct watcher *watcher = watcher_find(conn);

    if (!watcher)
        return;
    LIST_REMOVE(watcher, next);
    free(watcher);
}

void watch_changed(void)
{
    struct watcher *watcher;

    LIST_FOREACH(watcher, &watchers, next)
        conn_raw(watcher->conn, "", 1);
}

void watch_link_up(void)
{
    if (LIST_EMPTY(&watchers))
        return;
    link_event(P_NOTIFY, NULL, NULL);
    watch_changed();
}
