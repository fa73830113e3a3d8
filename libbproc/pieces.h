/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of the calling process that is large enough to travel beside its image: private and
 * anonymous, and neither what the calling thread stands on nor what cannot be read.
 */
#ifndef BPROC_PIECES_H
#define BPROC_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "proto/bproc.h"

struct piece {
    uintptr_t start, away;              /* `away` is the caller's: where it is meanwhile */
    size_t size;
};

struct pieces {
    size_t total;
    unsigned count;
    struct piece list[BPROC_MAX_REGIONS];
};

/* Fills in *pieces, which is zeros, without the `size` bytes at `own`. Uses memory of its own. */
void pieces_find(struct pieces *pieces, const void *own, size_t size);

#endif
