/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last words that two relays say to one another, after which the connection serves again. */
#include "config.h"

#include "tests/unit/relay_pair.h"

/* The connection outlives its relays: what is said on it next is not theirs. */
static void serves_again(struct pair *pair)
{
    struct bulk_msg msg;

    for (int i = 0; i < SIDES; i++) {
        relay_free(pair->side[i].relay);
        pair->side[i].relay = NULL;
        bulk_resume(pair->side[i].ssl);
    }
    is_int(bulk_send_data(pair->side[MASTER].ssl, P_BULK_LAUNCH, 7, "next", 4), 0,
           "the connection serves again");
    ok(bulk_recv(pair->side[NODE].ssl, &msg) == 0 && msg.header.proc == P_BULK_LAUNCH &&
       memcmp(msg.body, "next", 4) == 0, "in both hands");
    bulk_free(&msg);
}

static void test_over(void)
{
    struct pair pair;
    int process, parent;

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process, &parent);
    ok(says(&pair, process, parent, "output"), "a process writes");
    close(process);
    (void)pair_until(&pair, 20000, pair.side[NODE].idle);
    is_int(pair.side[MASTER].over + pair.side[NODE].over, 0, "its end alone is not the last word");
    relay_over(pair.side[NODE].relay);
    ok(pair_until(&pair, 20000, pair.side[MASTER].over && pair.side[NODE].over),
       "the last word of one side is answered by the other");
    is_int(pair.side[MASTER].broken + pair.side[NODE].broken, 0, "and none is broken");
    serves_again(&pair);
    close(parent);
    pair_close(&pair);
}

static void test_last(void)
{
    struct pair pair;
    int process, parent;

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process, &parent);
    relay_set_direct(pair.side[NODE].relay);
    relay_set_last(pair.side[MASTER].relay);
    ok(says(&pair, process, parent, "output"), "a process writes");
    close(process);
    ok(pair_until(&pair, 20000, pair.side[MASTER].over && pair.side[NODE].over),
       "the master says the last word with its mark, and is answered");
    is_int(pair.side[NODE].flushed, 1, "after all has been delivered");
    is_int(pair.side[MASTER].broken + pair.side[NODE].broken, 0, "and none is broken");
    serves_again(&pair);
    close(parent);
    pair_close(&pair);
}

/* Of a process that has said nothing its node waits for no delivery, and need not be woken. */
static void test_last_waits(void)
{
    struct pair pair;
    int process, parent;

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process, &parent);
    relay_set_direct(pair.side[NODE].relay);
    relay_set_last(pair.side[MASTER].relay);
    close(process);
    ok(pair_until(&pair, 20000, pair.side[MASTER].over), "a process ends without a word");
    ok(pair_until(&pair, 20000, pair.side[NODE].flushed), "its node needs no word of the master's");
    pair_turn(&pair, 50);
    is_int(pair.side[NODE].over, 0, "who says the last one later");
    bulk_flush(pair.side[MASTER].ssl);
    ok(pair_until(&pair, 20000, pair.side[NODE].over), "and it comes");
    is_int(pair.side[MASTER].broken + pair.side[NODE].broken, 0, "none is broken");
    serves_again(&pair);
    close(parent);
    pair_close(&pair);
}

/* What the relay has said to the test, which speaks for the node. */
static bool hears(struct pair *pair, bproc_proc proc)
{
    struct bulk_msg msg;
    bool same;

    pair_turn(pair, 20);
    if (bulk_recv(pair->side[NODE].ssl, &msg) < 0)
        return false;
    same = msg.header.proc == proc;
    bulk_free(&msg);
    return same;
}

/* The flush has been sent before the master's last word has come. */
static void test_last_crossed(void)
{
    struct pair pair;
    int fds[2];
    SSL *node;

    pair_open(&pair, 1);
    pipe_make(fds, 0);
    pair_add(&pair, MASTER, 0, STREAM_PIPE_WRITE, -1, fds[1]);
    relay_set_last(pair.side[MASTER].relay);
    node = pair.side[NODE].ssl;
    bulk_send_data(node, P_STREAM_EOF, 0, NULL, 0);
    ok(hears(&pair, P_STREAM_CLOSED) && hears(&pair, P_STREAM_OVER), "a mark and the last word");
    bulk_send_data(node, P_STREAM_FLUSH, 0, NULL, 0);
    bulk_send_data(node, P_STREAM_OVER, 0, NULL, 0);
    ok(pair_until(&pair, 20000, pair.side[MASTER].over), "a flush that crosses it is borne");
    is_int(pair.side[MASTER].broken, 0, "breaks nothing");
    serves_again(&pair);
    close(fds[0]);
    pair_close(&pair);
}

/* The same, as the node sees it, for which the relay stands. */
static void test_last_answers(void)
{
    struct pair pair;
    int fds[2];
    SSL *master;

    pair_open(&pair, 1);
    pipe_make(fds, 0);
    pair_add(&pair, MASTER, 0, STREAM_PIPE_WRITE, fds[0], -1);
    relay_set_direct(pair.side[MASTER].relay);
    master = pair.side[NODE].ssl;
    must(write(fds[1], "word", 4) == 4, "write");
    close(fds[1]);
    ok(hears(&pair, P_STREAM_DATA) && hears(&pair, P_STREAM_EOF), "data and their end");
    ok(hears(&pair, P_STREAM_OVER), "and the last word");
    relay_flush(pair.side[MASTER].relay);
    bulk_send_data(master, P_STREAM_CLOSED, 0, NULL, 0);
    bulk_send_data(master, P_STREAM_OVER, 0, NULL, 0);
    ok(pair_until(&pair, 20000, pair.side[MASTER].over), "the last word is answered");
    is_int(pair.side[MASTER].flushed, 1, "it answers the flush, which is not sent");
    is_int(pair.side[MASTER].broken, 0, "and breaks nothing");
    pair_close(&pair);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_over();
    test_last();
    test_last_waits();
    test_last_crossed();
    test_last_answers();
    return done_testing();
}
