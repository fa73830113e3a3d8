/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory to carry about: private pages of which no two are alike and none can be squeezed, so that
 * neither side of a comparison gets them cheaper than by copying.
 */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* `mib` MiB, filled; kept until the process ends. NULL when there is no such room, or mib is 0. */
uint64_t *memory_make(size_t mib);

/* 1 if it is still what memory_make() left there. */
int memory_is_whole(const uint64_t *memory, size_t mib);

/* Makes all of its pages zeros, which were written and are there; 1 if they are that still. */
void memory_clear(uint64_t *memory, size_t mib);
int memory_is_clear(const uint64_t *memory, size_t mib);

/* Makes all of its pages others than they were, and than any before. */
void memory_change(uint64_t *memory, size_t mib);

#endif
