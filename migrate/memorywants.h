/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is asked for of a process's regions before its turn: the blocks around the pages that
 * somebody waits for. However many wait, few wishes are on their way at a time: who writes one must
 * not have to wait, as then nobody would read what the peer writes.
 *
 * Life: memorywants_new(); memorywants_add() with each page; what memorywants_next() gives is asked
 * for, and memorywants_given() says that it has been answered, upon which there may be a next one.
 * memorywants_free(). Nothing waits.
 */
#ifndef BPROC_MEMORYWANTS_H
#define BPROC_MEMORYWANTS_H

#include <stdint.h>

#include "proto/bproc.h"

struct memorywants;

/* `regions` is borrowed. NULL and errno. */
struct memorywants *memorywants_new(const page_region *regions, unsigned count);

/* Pages outside of the regions count for nothing. */
void memorywants_add(struct memorywants *wants, uint64_t page);

/* The one that has waited longest: 1; 0: none is to be asked for. */
int memorywants_next(struct memorywants *wants, page_run *want);

/* The answer to the want that begins there has come. */
void memorywants_given(struct memorywants *wants, uint64_t start);

/* NULL is allowed. */
void memorywants_free(struct memorywants *wants);

#endif
