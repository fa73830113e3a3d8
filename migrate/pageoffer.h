/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of an image, sent by name first: the sender says their hashes, the receiver which of these
 * it lacks, and only those follow. What it has, it has taken from the store by then.
 *
 * Both sides agree beforehand how many pages there are; they go in lots, each with an answer to
 * wait for. All calls block. 0 or -errno of bulk.h.
 */
#ifndef BPROC_PAGEOFFER_H
#define BPROC_PAGEOFFER_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/ssl.h>

#include "migrate/bulk.h"
#include "migrate/pagestore.h"

/* How the sender waits for P_BULK_LACK, as a failure may come instead: 0 or -errno. */
struct pageoffer_answer {
    int (*wait)(void *arg, struct bulk_msg *msg);
    void *arg;
};

/* The names of `count` pages. 0, -ENOMEM or -EIO. Needs no connection. */
int pageoffer_name(const uint8_t *pages, size_t count, uint8_t (*names)[PAGE_HASH]);

/*
 * Sends pages with these names; NULL: makes them. Adds to *sent what went over the connection for
 * it.
 */
int pageoffer_send(SSL *ssl, const uint8_t *pages, uint8_t (*names)[PAGE_HASH], size_t count,
                   const struct pageoffer_answer *answer, uint64_t *sent);

/*
 * What has come, `count` pages from the one with that number on; not in their order. 0 or -errno,
 * which ends the transfer.
 */
typedef int pageoffer_sink(void *arg, size_t number, const uint8_t *pages, size_t count);

/* `store` NULL: everything is lacking, and nothing is kept. */
int pageoffer_take(SSL *ssl, struct pagestore *store, uid_t uid, size_t count,
                   pageoffer_sink *sink, void *arg);

#endif
