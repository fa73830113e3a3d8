/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Batches of memory between two threads: one fills them, the other takes them, in the same order.
 *
 * Life: memoryqueue_new(). The one: memoryqueue_room() and memoryqueue_put(), the last of them with
 * 0 or -errno. The other: memoryqueue_next() until it says that. Either may give up before by
 * memoryqueue_stop(). memoryqueue_free(), when the other thread has ended.
 */
#ifndef BPROC_MEMORYQUEUE_H
#define BPROC_MEMORYQUEUE_H

#include "migrate/memorybatch.h"

#define MEMORYQUEUE_MAX 32

struct memoryqueue;

/*
 * So many batches, 2 to MEMORYQUEUE_MAX, with room for `pages` each. As soon as somebody takes
 * them no more than `ahead` are full at a time. `whole`: most of the room will be used. NULL and
 * errno.
 */
struct memoryqueue *memoryqueue_new(unsigned count, size_t pages, unsigned ahead, int whole);

/* The next one that may be filled; NULL: nobody wants it any more. Blocks. */
struct memorybatch *memoryqueue_room(struct memoryqueue *queue);

/* It is full; `found` 0 or -errno: there is nothing in it, and it was the last. */
void memoryqueue_put(struct memoryqueue *queue, struct memorybatch *batch, int found);

/* What was put, with *batch, good until the next call; -ECANCELED: no more will come. Blocks. */
int memoryqueue_next(struct memoryqueue *queue, struct memorybatch **batch);

void memoryqueue_stop(struct memoryqueue *queue);

/* NULL is allowed. */
void memoryqueue_free(struct memoryqueue *queue);

#endif
