/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 of many pages at once: a processor works at sixteen of them in the time that it takes for
 * one, so a batch is known by the hash of its pages' hashes.
 *
 * Life: pagehash_new(), any number of the calls below, by one thread, pagehash_free(). Nothing
 * blocks.
 */
#ifndef BPROC_PAGEHASH_H
#define BPROC_PAGEHASH_H

#include <stddef.h>
#include <stdint.h>

#include "migrate/pagestore.h"

struct pagehash;

/* NULL: out of memory, or a processor that lacks what it takes. */
struct pagehash *pagehash_new(void);

/* The hash of each of `count` pages. 0 or -EIO. */
int pagehash_names(struct pagehash *hash, const uint8_t *pages, size_t count,
                   uint8_t (*names)[PAGE_HASH]);

/* The hash of the hashes of `count` pages, BPROC_MAX_BATCH at most. 0 or -EIO. */
int pagehash_batch(struct pagehash *hash, const uint8_t *pages, size_t count,
                   uint8_t digest[PAGE_HASH]);

/* NULL is allowed. */
void pagehash_free(struct pagehash *hash);

#endif
