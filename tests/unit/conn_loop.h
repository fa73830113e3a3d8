/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections on one event loop, `base`, for the unit tests: an end of one, which notes how that
 * ended, and the loop for so long. What else an end has is the test's business: it defines
 * END_FIELDS before it includes this.
 */
#ifndef TESTS_CONN_LOOP_H
#define TESTS_CONN_LOOP_H

#include <stdio.h>

#include "common/conn.h"

struct end {
    struct conn *conn;          /* NULL once it is closed */
    unsigned messages;
    int closes;                 /* times on_close was called */
    char reason[200];           /* of the last one */
    END_FIELDS
};

static struct event_base *base;

static void end_closed(struct conn *conn, const char *reason, void *arg)
{
    struct end *end = arg;

    (void)conn;
    end->closes++;
    end->conn = NULL;
    snprintf(end->reason, sizeof(end->reason), "%s", reason);
}

/* For so many milliseconds, and as many turns at least: time can pass without us. */
static void loop_run(int ms)
{
    const struct timeval moment = { 0, 1000 };

    for (; ms > 0; ms--) {
        event_base_loopexit(base, &moment);
        event_base_dispatch(base);
    }
}

#endif
