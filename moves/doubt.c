/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <event2/event.h>

#include "moves/channel.h"
#include "moves/doubt.h"
#include "moves/move_impl.h"

#define DOUBT_USEC 250000

static const struct timeval a_moment = { .tv_usec = DOUBT_USEC };

struct doubt {
    struct event *due;
    int error;
    char reason[BPROC_MAX_TEXT];
};

static void doubt_due(evutil_socket_t fd, short what, void *arg)
{
    struct move *move = arg;
    char reason[BPROC_MAX_TEXT];

    (void)fd;
    (void)what;
    /* Both time out for one reason, and not to the same moment. */
    if (moves_ops->is_silent && moves_ops->is_silent(move) &&
        event_add(move->doubt->due, &a_moment) == 0)
        return;
    snprintf(reason, sizeof(reason), "%s", move->doubt->reason);
    move_fail(move, move->doubt->error, "%s", reason);
}

/* What there is to be said when a connection has ended, at either side of it. */
static int is_doubtful(const struct move *move, int error)
{
    return move->kind != MOVE_DUMP && (error == EIO || error == EPIPE || error == ECONNRESET);
}

static struct doubt *doubt_new(struct move *move, int error, const char *reason)
{
    struct doubt *doubt = calloc(1, sizeof(*doubt));

    if (!doubt)
        return NULL;
    doubt->error = error;
    snprintf(doubt->reason, sizeof(doubt->reason), "%s", reason);
    doubt->due = evtimer_new(moves_base, doubt_due, move);
    if (doubt->due && event_add(doubt->due, &a_moment) == 0)
        return doubt;
    doubt_end(doubt);
    return NULL;
}

void doubt_begin(struct move *move, int error, const char *reason)
{
    if (is_doubtful(move, error))
        move->doubt = doubt_new(move, error, reason);
    if (!move->doubt) {
        move_fail(move, error, "%s", reason);
        return;
    }
    channel_leave(move);
    /* To its vector it is still on its way. */
    move->phase = MOVE_STARTED;
}

int doubt_has(const struct move *move)
{
    return move->doubt != NULL;
}

void doubt_end(struct doubt *doubt)
{
    if (doubt && doubt->due)
        event_free(doubt->due);
    free(doubt);
}
