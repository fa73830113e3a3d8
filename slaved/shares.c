/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "common/tls.h"
#include "slaved/shares.h"

#define GOOD_SECONDS 60
#define PATIENCE_SECONDS 10
#define SHARE_FDS 3
#define TAKERS_MAX 256          /* of one node, which need not know a word to wait */

struct share {
    LIST_ENTRY(share) entry;
    share_arg arg;
    struct conn *owner;
    int fds[SHARE_FDS];
    unsigned nfds;
    int taken;
    struct event *on_end;
};

struct taker {
    LIST_ENTRY(taker) entry;
    take_arg arg;
    struct conn *conn;
    struct frame_header asked;
    struct event *on_end;       /* NULL: it has been answered */
};

static LIST_HEAD(, share) shares = LIST_HEAD_INITIALIZER(shares);
static LIST_HEAD(, taker) takers = LIST_HEAD_INITIALIZER(takers);
static struct event_base *shares_base;

void shares_init(struct event_base *base)
{
    shares_base = base;
}

static int is_same(const share_arg *a, const share_arg *b)
{
    return a->forks == b->forks && CRYPTO_memcmp(a->word, b->word, sizeof(a->word)) == 0;
}

static void share_empty(struct share *share)
{
    while (share->nfds > 0)
        close(share->fds[--share->nfds]);
}

static void share_free(struct share *share)
{
    LIST_REMOVE(share, entry);
    if (share->on_end)
        event_free(share->on_end);
    share_empty(share);
    free(share);
}

static void taker_settle(struct taker *taker)
{
    if (taker->on_end)
        event_free(taker->on_end);
    taker->on_end = NULL;
}

static void taker_free(struct taker *taker)
{
    LIST_REMOVE(taker, entry);
    taker_settle(taker);
    free(taker);
}

static struct event *timer_start(event_callback_fn on_end, void *arg, int seconds)
{
    struct timeval limit = { seconds, 0 };
    struct event *timer = evtimer_new(shares_base, on_end, arg);

    if (timer)
        event_add(timer, &limit);
    return timer;
}

static void share_expired(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    share_free(arg);
}

static void taker_refuse(struct taker *taker, int error, const char *why)
{
    const struct taker old = *taker;

    taker_free(taker);
    conn_refuse(old.conn, &old.asked, error, "%s", why);
}

static void taker_expired(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    taker_refuse(arg, ENOENT, "nobody has given that");
}

static void taker_answer(struct taker *taker, struct share *share)
{
    if (share->taken && !share->arg.forks) {
        taker_refuse(taker, EBUSY, "another one has taken that");
        return;
    }
    share->taken = 1;
    taker_settle(taker);
    conn_send(taker->conn, K_REPLY, taker->asked.proc, taker->asked.serial, 0, NULL, NULL,
              share->fds, share->nfds);
    /* Whoever is at the other end is to see that the taker has gone. */
    if (!share->arg.forks)
        share_empty(share);
}

/* The master is believed to ask for what will be given. */
static int may_wait(int peer)
{
    const struct taker *taker;
    unsigned count = 0;

    LIST_FOREACH(taker, &takers, entry)
        count += taker->on_end != NULL && taker->arg.peer == peer;
    return peer == TLS_NODE_MASTER || count < TAKERS_MAX;
}

static struct share *share_find(const share_arg *arg)
{
    struct share *share;

    LIST_FOREACH(share, &shares, entry)
        if (is_same(&share->arg, arg))
            break;
    return share;
}

int share_give(struct conn *conn, const struct frame_header *header, const uint8_t *body, int *fds)
{
    struct share *share = calloc(1, sizeof(*share));
    struct taker *taker, *next;

    if (!share)
        return 0;
    if (header->nfds == 0 || header->nfds > SHARE_FDS ||
        conn_decode(share_arg, header, body, &share->arg) < 0) {
        free(share);
        return -EPROTO;
    }
    share->owner = conn;
    for (; share->nfds < header->nfds; share->nfds++) {
        share->fds[share->nfds] = fds[share->nfds];
        fds[share->nfds] = -1;
    }
    LIST_INSERT_HEAD(&shares, share, entry);
    share->on_end = timer_start(share_expired, share, GOOD_SECONDS);
    for (taker = LIST_FIRST(&takers); taker; taker = next) {
        next = LIST_NEXT(taker, entry);
        if (taker->on_end && is_same(&taker->arg.share, &share->arg))
            taker_answer(taker, share);
    }
    return 0;
}

int share_take(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    struct taker *taker = calloc(1, sizeof(*taker));
    struct share *share;

    if (!taker || conn_decode(take_arg, header, body, &taker->arg) < 0) {
        free(taker);
        return -EPROTO;
    }
    taker->conn = conn;
    taker->asked = *header;
    LIST_INSERT_HEAD(&takers, taker, entry);
    share = share_find(&taker->arg.share);
    if (share)
        taker_answer(taker, share);
    else if (!may_wait(taker->arg.peer))
        taker_refuse(taker, EAGAIN, "too many wait");
    else
        taker->on_end = timer_start(taker_expired, taker, PATIENCE_SECONDS);
    return 0;
}

void shares_settle(const struct conn *conn)
{
    struct share *share, *next;

    for (share = LIST_FIRST(&shares); share; share = next) {
        next = LIST_NEXT(share, entry);
        if (share->owner == conn)
            share_free(share);
    }
}

/* What they wait for, or follow, comes no more. */
static void takers_cut(const share_arg *arg, const struct conn *but)
{
    struct taker *taker, *next;

    for (taker = LIST_FIRST(&takers); taker; taker = next) {
        next = LIST_NEXT(taker, entry);
        if (taker->conn == but || arg->forks || !is_same(&taker->arg.share, arg))
            continue;
        /* Its end frees it, and nobody else. */
        conn_close(taker->conn, "what it takes has gone");
        next = LIST_FIRST(&takers);
    }
}

void shares_forget(const struct conn *conn)
{
    struct taker *taker, *after;
    struct share *share, *next;

    for (taker = LIST_FIRST(&takers); taker; taker = after) {
        after = LIST_NEXT(taker, entry);
        if (taker->conn == conn)
            taker_free(taker);
    }
    for (share = LIST_FIRST(&shares); share; share = next) {
        next = LIST_NEXT(share, entry);
        if (share->owner != conn)
            continue;
        takers_cut(&share->arg, conn);
        share_free(share);
    }
}
