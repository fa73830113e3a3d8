/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "migrate/pageoffer.h"

#define LOT 4096                        /* pages at a time: 128 KiB of hashes for 16 MiB */
#define RUN 64                          /* pages in one message */

struct lot {
    size_t count;
    uint8_t hashes[LOT][PAGE_HASH];
    uint8_t lacks[LOT / 8];
};

static size_t lot_bytes(const struct lot *lot)
{
    return (lot->count + 7) / 8;
}

static int is_lacking(const struct lot *lot, size_t i)
{
    return lot->lacks[i / 8] >> i % 8 & 1;
}

/* The lacking ones from `from` on that follow one another; their number in *run, at most RUN. */
static size_t run_find(const struct lot *lot, size_t from, size_t *run)
{
    while (from < lot->count && !is_lacking(lot, from))
        from++;
    *run = 0;
    while (*run < RUN && from + *run < lot->count && is_lacking(lot, from + *run))
        ++*run;
    return from;
}

int pageoffer_name(const uint8_t *pages, size_t count, uint8_t (*names)[PAGE_HASH])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
    int error = ctx && md ? 0 : -ENOMEM;

    for (size_t i = 0; !error && i < count; i++)
        if (!EVP_DigestInit_ex2(ctx, md, NULL) ||
            !EVP_DigestUpdate(ctx, pages + i * PAGE_BYTES, PAGE_BYTES) ||
            !EVP_DigestFinal_ex(ctx, names[i], NULL))
            error = -EIO;
    EVP_MD_free(md);
    EVP_MD_CTX_free(ctx);
    return error;
}

static int raw_take(SSL *ssl, bproc_proc proc, void *bytes, size_t len)
{
    struct frame_header header;
    int error = bulk_recv_header(ssl, &header);

    if (!error && (header.proc != proc || header.body_len != len))
        error = -EPROTO;
    return error ? error : bulk_recv_into(ssl, bytes, len);
}

static int lacks_hear(struct lot *lot, const struct pageoffer_answer *answer)
{
    struct bulk_msg msg;
    int error = answer->wait(answer->arg, &msg);

    if (error)
        return error;
    if (msg.header.body_len == lot_bytes(lot))
        memcpy(lot->lacks, msg.body, lot_bytes(lot));
    else
        error = -EPROTO;
    bulk_free(&msg);
    return error;
}

static int lot_send(SSL *ssl, struct lot *lot, const uint8_t *pages,
                    const struct pageoffer_answer *answer, uint64_t *sent)
{
    size_t run, at;
    int error = bulk_send_data(ssl, P_BULK_OFFER, 0, lot->hashes, lot->count * PAGE_HASH);

    if (!error)
        error = lacks_hear(lot, answer);
    *sent += lot->count * PAGE_HASH;
    for (at = run_find(lot, 0, &run); !error && run > 0; at = run_find(lot, at + run, &run)) {
        error = bulk_put_data(ssl, P_BULK_DATA, 0, pages + at * PAGE_BYTES, run * PAGE_BYTES);
        *sent += run * PAGE_BYTES;
    }
    return error;
}

int pageoffer_send(SSL *ssl, const uint8_t *pages, uint8_t (*names)[PAGE_HASH], size_t count,
                   const struct pageoffer_answer *answer, uint64_t *sent)
{
    struct lot *lot = malloc(sizeof(*lot));
    int error = lot ? 0 : -ENOMEM;

    for (size_t at = 0; !error && at < count; at += lot->count) {
        lot->count = count - at < LOT ? count - at : LOT;
        if (names)
            memcpy(lot->hashes, names[at], lot->count * PAGE_HASH);
        else
            error = pageoffer_name(pages + at * PAGE_BYTES, lot->count, lot->hashes);
        if (!error)
            error = lot_send(ssl, lot, pages + at * PAGE_BYTES, answer, sent);
    }
    free(lot);
    return error;
}

/*
 * Pages of a lot that are alike, such as empty ones: the first is lacking, and the others hang on
 * it. Numbers are those in the lot plus one; 0: none.
 */
struct alike {
    uint16_t slots[2 * LOT];            /* the first ones, by hash */
    uint16_t next[LOT];
};

struct taker {
    SSL *ssl;
    struct pagestore *store;
    uid_t uid;
    pageoffer_sink *sink;
    void *arg;
    size_t base;                        /* the lot's first page */
    struct lot lot;
    struct alike alike;
    uint8_t pages[RUN * PAGE_BYTES];
};

/* Whether page i is like one before it in the lot, which then brings it along. */
static int alike_join(struct alike *alike, const struct lot *lot, size_t i)
{
    size_t slot;

    memcpy(&slot, lot->hashes[i], sizeof(slot));
    for (slot %= 2 * LOT; alike->slots[slot]; slot = (slot + 1) % (2 * LOT)) {
        size_t first = alike->slots[slot] - 1u;

        if (memcmp(lot->hashes[first], lot->hashes[i], PAGE_HASH) != 0)
            continue;
        alike->next[i] = alike->next[first];
        alike->next[first] = (uint16_t)(i + 1);
        return 1;
    }
    alike->slots[slot] = (uint16_t)(i + 1);
    return 0;
}

/* Those that the store has go to their place at once: it may not have them any more later. */
static int lot_look(struct taker *t)
{
    int error = 0;

    memset(t->lot.lacks, 0, sizeof(t->lot.lacks));
    memset(&t->alike, 0, sizeof(t->alike));
    for (size_t i = 0; !error && i < t->lot.count; i++) {
        if (t->store && pagestore_get(t->store, t->uid, t->lot.hashes[i], t->pages))
            error = t->sink(t->arg, t->base + i, t->pages, 1);
        else if (!alike_join(&t->alike, &t->lot, i))
            t->lot.lacks[i / 8] |= (uint8_t)(1 << i % 8);
    }
    return error;
}

static int page_take(struct taker *t, size_t i, const uint8_t *page)
{
    int error = 0;

    for (size_t next = t->alike.next[i]; !error && next; next = t->alike.next[next - 1])
        error = t->sink(t->arg, t->base + next - 1, page, 1);
    if (!error && t->store)
        pagestore_put(t->store, t->uid, t->lot.hashes[i], page);
    return error;
}

static int run_take(struct taker *t, size_t at, size_t run)
{
    int error = raw_take(t->ssl, P_BULK_DATA, t->pages, run * PAGE_BYTES);

    if (!error)
        error = t->sink(t->arg, t->base + at, t->pages, run);
    for (size_t i = 0; !error && i < run; i++)
        error = page_take(t, at + i, t->pages + i * PAGE_BYTES);
    return error;
}

static int lot_take(struct taker *t)
{
    size_t run, at;
    int error = raw_take(t->ssl, P_BULK_OFFER, t->lot.hashes, t->lot.count * PAGE_HASH);

    if (!error)
        error = lot_look(t);
    if (!error)
        error = bulk_send_data(t->ssl, P_BULK_LACK, 0, t->lot.lacks, lot_bytes(&t->lot));
    for (at = run_find(&t->lot, 0, &run); !error && run > 0; at = run_find(&t->lot, at + run, &run))
        error = run_take(t, at, run);
    return error;
}

int pageoffer_take(SSL *ssl, struct pagestore *store, uid_t uid, size_t count,
                   pageoffer_sink *sink, void *arg)
{
    struct taker *t = malloc(sizeof(*t));
    int error = t ? 0 : -ENOMEM;

    if (t)
        *t = (struct taker){ .ssl = ssl, .store = store, .uid = uid, .sink = sink, .arg = arg };
    while (!error && t->base < count) {
        t->lot.count = count - t->base < LOT ? count - t->base : LOT;
        error = lot_take(t);
        t->base += t->lot.count;
    }
    free(t);
    return error;
}
