/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/bproc.h>
#include <uthash.h>

#include "common/nodeload.h"
#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/nodetable.h"
#include "masterd/usage.h"

#define FRESH_MS 1000
#define STALE_MS 5000
#define PATIENCE_SECONDS 2
#define IDLE_SECONDS 10
#define WAITERS_MAX 1024
#define WAITERS_A_CONN 64       /* a slave's link carries those of all its clients */
#define USAGE_SIZE_MOST (100 + BPROC_MAX_USAGE * (64 + BPROC_MAX_COMMAND))

enum question { NOT_ASKED, ASKED, LATE };

/* What a node told last. */
struct told {
    int number;
    enum question question;
    int64_t asked, when;
    node_usage usage;
    UT_hash_handle hh;
};

struct waiter {
    LIST_ENTRY(waiter) entry;
    struct conn *conn;
    struct frame_header header;
    usage_arg arg;
    int passed;
};

static LIST_HEAD(, waiter) waiters = LIST_HEAD_INITIALIZER(waiters);
static unsigned waiters_count;
static struct told *tolds;
static unsigned unanswered;
static struct event *on_patience, *on_idle;

static struct told *told_find(int number)
{
    struct told *told;

    HASH_FIND_INT(tolds, &number, told);
    return told;
}

static struct told *told_get(int number)
{
    struct told *told = told_find(number);

    if (told)
        return told;
    told = calloc(1, sizeof(*told));
    if (!told)
        return NULL;
    told->number = number;
    told->asked = told->when = INT64_MIN / 2;
    HASH_ADD_INT(tolds, number, told);
    return told;
}

static void told_settle(struct told *told, enum question question)
{
    if (told->question == ASKED && question != ASKED)
        unanswered--;
    told->question = question;
}

static void told_free(struct told *told)
{
    told_settle(told, NOT_ASKED);
    HASH_DEL(tolds, told);
    frame_free(FRAME_XDR(node_usage), &told->usage, sizeof(told->usage));
    free(told);
}

/* ---- answers ---- */

static void reply_passed(const struct waiter *waiter, usage_ret *ret)
{
    pass_ret pass = { .body = { 0, NULL } };
    uint8_t *bytes = NULL;
    size_t len;
    int error = frame_encode(FRAME_XDR(usage_ret), ret, BPROC_MAX_LIST, &bytes, &len);

    if (error) {
        conn_refuse(waiter->conn, &waiter->header, -error, "cannot pass on the answer");
        return;
    }
    pass.body.body_len = (unsigned)len;
    pass.body.body_val = (char *)bytes;
    conn_reply(waiter->conn, &waiter->header, FRAME_XDR(pass_ret), &pass);
    free(bytes);
}

static size_t usage_size(const node_usage *usage)
{
    return 100 + (size_t)usage->procs.procs_len * (64 + BPROC_MAX_COMMAND);
}

/* Adds to ret, as shallow copies, what is known of nodes from `number` on and has room. */
static void answer_fill(usage_ret *ret, int number, int last)
{
    size_t left = BPROC_MAX_LIST - USAGE_SIZE_MOST;

    for (; number <= last && number < nodetable_size(); number++) {
        const struct told *told = told_find(number);

        if (!told || master_now() - told->when > STALE_MS)
            continue;
        if (usage_size(&told->usage) > left) {
            ret->next = number;
            return;
        }
        left -= usage_size(&told->usage);
        ret->nodes.nodes_val[ret->nodes.nodes_len++] = told->usage;
    }
}

static void answer_give(const struct waiter *waiter)
{
    usage_ret ret = { .next = BPROC_NODE_SELF };
    int first = waiter->arg.first;

    ret.nodes.nodes_val = calloc((size_t)nodetable_size() + 1, sizeof(node_usage));
    if (!ret.nodes.nodes_val) {
        conn_refuse(waiter->conn, &waiter->header, ENOMEM, "out of memory");
        return;
    }
    if (first <= BPROC_NODE_MASTER) {
        first = 0;
        ret.nodes.nodes_val[0].node = BPROC_NODE_MASTER;
        nodeload_read(&ret.nodes.nodes_val[ret.nodes.nodes_len++]);
    }
    answer_fill(&ret, first, waiter->arg.last);
    if (waiter->passed)
        reply_passed(waiter, &ret);
    else
        conn_reply(waiter->conn, &waiter->header, FRAME_XDR(usage_ret), &ret);
    free(ret.nodes.nodes_val);
}

static void waiter_free(struct waiter *waiter)
{
    LIST_REMOVE(waiter, entry);
    waiters_count--;
    free(waiter);
}

static void waiters_serve(void)
{
    struct waiter *waiter;

    event_del(on_patience);
    /* Sending can end the connection, and with it other waiters. */
    while ((waiter = LIST_FIRST(&waiters)) != NULL) {
        struct waiter served = *waiter;

        waiter_free(waiter);
        answer_give(&served);
    }
}

static void patience_ends(evutil_socket_t fd, short what, void *arg)
{
    struct told *told, *next;

    (void)fd;
    (void)what;
    (void)arg;
    HASH_ITER(hh, tolds, told, next)
        if (told->question == ASKED)
            told_settle(told, LATE);
    waiters_serve();
}

static void idle_begins(evutil_socket_t fd, short what, void *arg)
{
    struct told *told, *next;

    (void)fd;
    (void)what;
    (void)arg;
    HASH_ITER(hh, tolds, told, next)
        told_free(told);
}

/* ---- questions ---- */

static int timers_make(void)
{
    if (!on_patience)
        on_patience = evtimer_new(master.base, patience_ends, NULL);
    if (!on_idle)
        on_idle = evtimer_new(master.base, idle_begins, NULL);
    return on_patience && on_idle ? 0 : -ENOMEM;
}

static void node_ask(struct node *node)
{
    struct told *told = told_get(node->number);
    int64_t now = master_now();

    if (!told || told->question == ASKED || now - told->when < FRESH_MS ||
        now - told->asked < FRESH_MS)
        return;
    /* Nobody waits a second time for a node that was late, but the question may have been lost. */
    if (told->question == NOT_ASKED) {
        told->question = ASKED;
        unanswered++;
    }
    told->asked = now;
    link_event(node, P_NODE_USAGE, NULL, NULL);
}

static struct waiter *waiter_new(struct conn *conn, const struct frame_header *header,
                                 const usage_arg *arg, int passed)
{
    struct waiter *waiter;
    unsigned same = 0;

    LIST_FOREACH(waiter, &waiters, entry)
        same += waiter->conn == conn;
    if (same >= (passed ? WAITERS_A_CONN : 1) || waiters_count >= WAITERS_MAX || timers_make() < 0)
        return NULL;
    waiter = calloc(1, sizeof(*waiter));
    if (!waiter)
        return NULL;
    waiter->conn = conn;
    waiter->header = *header;
    waiter->arg = *arg;
    waiter->passed = passed;
    waiters_count++;
    LIST_INSERT_HEAD(&waiters, waiter, entry);
    return waiter;
}

int usage_ask(struct conn *conn, const struct frame_header *header, const uint8_t *body,
              size_t len, int passed)
{
    struct timeval patience = { PATIENCE_SECONDS, 0 }, idle = { IDLE_SECONDS, 0 };
    usage_arg arg;

    if (frame_decode(FRAME_XDR(usage_arg), body, len, &arg, sizeof(arg)) < 0)
        return -EPROTO;
    if (!waiter_new(conn, header, &arg, passed)) {
        conn_refuse(conn, header, EAGAIN, "too many ask for this at once");
        return 0;
    }
    event_add(on_idle, &idle);
    for (int i = arg.first < 0 ? 0 : arg.first; i <= arg.last && i < nodetable_size(); i++)
        if (node_find(i)->link)
            node_ask(node_find(i));
    if (unanswered == 0)
        waiters_serve();
    else if (!event_pending(on_patience, EV_TIMEOUT, NULL))
        event_add(on_patience, &patience);
    return 0;
}

void usage_client_gone(struct conn *conn)
{
    struct waiter *waiter, *next;

    for (waiter = LIST_FIRST(&waiters); waiter; waiter = next) {
        next = LIST_NEXT(waiter, entry);
        if (waiter->conn == conn)
            waiter_free(waiter);
    }
}

void usage_client_moved(const struct conn *from, struct conn *to)
{
    struct waiter *waiter;

    LIST_FOREACH(waiter, &waiters, entry)
        if (waiter->conn == from)
            waiter->conn = to;
}

static void told_done(void)
{
    if (unanswered == 0 && on_patience)
        waiters_serve();
}

int usage_take(struct node *node, const uint8_t *body, size_t len)
{
    struct told *told = told_find(node->number);
    node_usage usage;

    if (frame_decode(FRAME_XDR(node_usage), body, len, &usage, sizeof(usage)) < 0)
        return -EPROTO;
    if (usage.node != node->number || !told) {
        int error = usage.node != node->number ? -EPROTO : 0;

        frame_free(FRAME_XDR(node_usage), &usage, sizeof(usage));
        return error;
    }
    frame_free(FRAME_XDR(node_usage), &told->usage, sizeof(told->usage));
    told->usage = usage;
    told->when = master_now();
    told_settle(told, NOT_ASKED);
    told_done();
    return 0;
}

void usage_node_lost(struct node *node)
{
    struct told *told = told_find(node->number);

    if (!told)
        return;
    told_free(told);
    told_done();
}

void usage_stop(void)
{
    if (on_patience)
        event_free(on_patience);
    if (on_idle)
        event_free(on_idle);
    on_patience = on_idle = NULL;
}
