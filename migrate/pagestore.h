/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages that have come to a node before, found by what is in them, so that they need not come
 * again: whoever forks a program twice sends it once. All children of a receiver share the store.
 * A page is kept for the user it came for and found for nobody else, as one could learn otherwise,
 * by how long a transfer takes, what others have in their memory.
 *
 * Life: pagestore_make() before the first fork; the memory is used as pages come and goes with the
 * last process. A child that has its pages leaves it until the next transfer: pagestore_leave().
 * When it is full, those go that were asked for longest ago. A process that is killed in here
 * leaves the store whole. Calls wait for one another, never for anything else.
 */
#ifndef BPROC_PAGESTORE_H
#define BPROC_PAGESTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE_BYTES 4096
#define PAGE_HASH 32
#define PAGESTORE_PAGES 16384       /* 64 MiB */

struct pagestore;

/* For at most `pages` pages; NULL if there is no memory for that. */
struct pagestore *pagestore_make(size_t pages);

/* Copies the page with that hash to `page`; false if the store has none that came for `uid`. */
bool pagestore_get(struct pagestore *store, uid_t uid, const uint8_t hash[PAGE_HASH], void *page);

/* The caller vouches for the hash. */
void pagestore_put(struct pagestore *store, uid_t uid, const uint8_t hash[PAGE_HASH],
                   const void *page);

/*
 * The caller has no use for the store for long: nothing of it counts as the caller's memory any
 * more, all stays in the store. NULL is allowed.
 */
void pagestore_leave(struct pagestore *store);

#endif
