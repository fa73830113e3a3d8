/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a move fails with whose transfer broke off before anything is known of its node. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/bproc.h>
#include <event2/event.h>

#include "moves/doubt.h"
#include "moves/move_impl.h"
#include "tests/unit/tap.h"

#define NODE 3

static struct event_base *base;
static int silent_looks, lost_at_look, looks, failed_with;

/* The node answers after so many looks, or its link ends at one of them. */
static int is_silent(const struct move *move)
{
    (void)move;
    return ++looks <= silent_looks;
}

static void undo(struct move *move, int error, const char *text)
{
    (void)move, (void)text;
    failed_with = error;
    event_base_loopbreak(base);
}

static const struct move_ops ops = { .is_silent = is_silent, .undo = undo };

static int turn_ends(void)
{
    event_base_loop(base, EVLOOP_ONCE);
    return failed_with || looks == lost_at_look;
}

static void test_doubt(int answers_after, int lost_at, int want, const char *name)
{
    struct move *move = calloc(1, sizeof(*move));

    move->node = NODE;
    move->kind = MOVE_REXEC;
    move->pidfd = -1;
    LIST_INSERT_HEAD(&moves, move, entry);
    silent_looks = answers_after;
    lost_at_look = lost_at;
    looks = failed_with = 0;
    doubt_begin(move, EIO, "the transfer broke off");
    is_int(failed_with, 0, "%s: nothing is said at once", name);
    while (!turn_ends())
        ;
    if (!failed_with)
        moves_node_lost(NODE);
    is_int(failed_with, want, "%s", name);
}

int main(void)
{
    base = event_base_new();
    moves_init(base, &ops);
    test_doubt(0, 0, EIO, "a node that is there: the transfer's own failure");
    test_doubt(3, 0, EIO, "a node that answers after a while: the same");
    test_doubt(4, 3, BE_SLAVEDIED, "a node that does not answer any more: its end");
    moves_stop();
    event_base_free(base);
    return done_testing();
}
