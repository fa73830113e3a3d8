/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the memory of a process ahead of whoever sends it: a thread of its own reads, and names
 * what is to be sent by name, while there is no connection yet, and while the batch before is
 * enciphered.
 *
 * Life: memoryread_start(); memoryread_next() until there are no more; memoryread_stop(), earlier
 * too. What it was given is its alone meanwhile.
 */
#ifndef BPROC_MEMORYREAD_H
#define BPROC_MEMORYREAD_H

#include "migrate/memorybatch.h"
#include "migrate/memorywalk.h"

struct memoryread;

/*
 * `memory`: /proc/PID/mem. The first `offers` pages are to be sent by name, in larger batches; so
 * are all if they are `listed` for others. NULL and errno on failure. Borrows both.
 */
struct memoryread *memoryread_start(struct memorywalk *walk, int memory, size_t offers, int listed);

/* 1 with *batch, good until the next call; 0: there are no more; -errno. Blocks. */
int memoryread_next(struct memoryread *reader, struct memorybatch **batch);

/* NULL is allowed. Blocks for one batch at most. */
void memoryread_stop(struct memoryread *reader);

#endif
