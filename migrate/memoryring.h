/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Batches of a process's memory that have just come, for one other process that passes them on
 * while they are still in the cache, and need not read them out of the process again.
 *
 * Life: memoryring_make(); memoryring_room() is what the next batch may be written to, and stays
 * that until memoryring_put() lays the batch out under its number. Whoever passes them on
 * memoryring_open()s the same file; memoryring_get() keeps a batch where it is until
 * memoryring_done(). memoryring_free(). Neither waits for the other: who is slow finds some batches
 * no longer there, and has the process to read; who gives up in the middle keeps one place.
 */
#ifndef BPROC_MEMORYRING_H
#define BPROC_MEMORYRING_H

#include <stdint.h>

struct memoryring;

/* NULL and errno. memoryring_open() takes `fd`, on failure too. */
struct memoryring *memoryring_make(void);
struct memoryring *memoryring_open(int fd);

/* The descriptor of its file; borrowed. */
int memoryring_fd(const struct memoryring *ring);

/* Room for BPROC_MAX_BATCH pages; valid until memoryring_put(). */
uint8_t *memoryring_room(struct memoryring *ring);

/* What is in the room is the batch of that number. */
void memoryring_put(struct memoryring *ring, unsigned number);

/* The pages of that batch, until memoryring_done(); NULL: they are no longer there. */
const uint8_t *memoryring_get(struct memoryring *ring, unsigned number);
void memoryring_done(struct memoryring *ring);

/* NULL is allowed. */
void memoryring_free(struct memoryring *ring);

#endif
