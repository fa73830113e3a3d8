/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Batches of a process's memory, listed as they are read or put in place, for others who follow:
 * which pages each has, and what these must be.
 *
 * Life: memorylist_make() in an empty file; memorylist_add() and memorylist_end(). Any number of
 * other processes memorylist_open() the same file meanwhile and take one batch after another by
 * memorylist_next(), in their own time. memorylist_free(). Who makes a list that is not ended has
 * to see to it that those who follow learn of that: by memorylist_break(), or by ending them.
 */
#ifndef BPROC_MEMORYLIST_H
#define BPROC_MEMORYLIST_H

#include <stddef.h>
#include <stdint.h>

#include "proto/bproc.h"

struct memorylist;

struct memoryitem {
    unsigned number;                    /* of the batch; the first is 0 */
    unsigned count;
    page_run runs[BPROC_MAX_BATCH];
    uint8_t digest[BPROC_HASH_LEN];     /* of its pages, in this order (pagehash.h) */
};

/* Both take `fd`, on failure too. NULL and errno. */
struct memorylist *memorylist_make(int fd);
struct memorylist *memorylist_open(int fd);

/* Lists a batch, unless one of its number stands there. 0 or -errno. */
int memorylist_add(struct memorylist *list, const struct memoryitem *item);

/* There will be no more; says nothing of a list that is broken. 0 or -errno. */
int memorylist_end(struct memorylist *list);

/* It lacks a batch, and gets none any more. */
void memorylist_break(struct memorylist *list);

/*
 * The next batch: 1; 0: there are no more; -EAGAIN: `ms` milliseconds have passed; -EPIPE: the list
 * is broken; -EPROTO. Blocks for that time at most.
 */
int memorylist_next(struct memorylist *list, struct memoryitem *item, int ms);

/* The next one will be that of this number. 0, or -EPROTO if that was not given yet. */
int memorylist_back(struct memorylist *list, unsigned number);

/* The descriptor of its file; borrowed. */
int memorylist_fd(const struct memorylist *list);

/* NULL is allowed. */
void memorylist_free(struct memorylist *list);

size_t memoryitem_pages(const struct memoryitem *item);

#endif
