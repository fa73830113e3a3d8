/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "migrate/memorywants.h"
#include "migrate/pagestore.h"

#define BLOCK (64 * PAGE_BYTES)
#define MOST 16                         /* on their way; who comes next stands behind these */

enum state { UNASKED, WAITS, ON_ITS_WAY };

struct memorywants {
    const page_region *regions;
    unsigned count;
    size_t *first;                      /* block of each region */
    uint8_t *states;                    /* of all blocks */
    page_run *queue;                    /* a ring of those that wait */
    size_t blocks, head, waiting;
    unsigned on_way;
};

static uint64_t region_first(const page_region *region)
{
    return region->start / BLOCK;
}

static size_t region_blocks(const page_region *region)
{
    return (size_t)((region->start + region->size - 1) / BLOCK - region_first(region) + 1);
}

/* The state of the block around that address, as far as it lies in its region; NULL: in none. */
static uint8_t *block_find(const struct memorywants *w, uint64_t address, page_run *run)
{
    for (unsigned i = 0; i < w->count; i++) {
        const page_region *region = &w->regions[i];
        uint64_t low = address / BLOCK * BLOCK, high = low + BLOCK;

        if (address < region->start || address - region->start >= region->size)
            continue;
        low = low > region->start ? low : region->start;
        high = high < region->start + region->size ? high : region->start + region->size;
        *run = (page_run){ .start = low, .pages = (unsigned)((high - low) / PAGE_BYTES) };
        return &w->states[w->first[i] + (size_t)(address / BLOCK - region_first(region))];
    }
    return NULL;
}

void memorywants_add(struct memorywants *w, uint64_t page)
{
    page_run run;
    uint8_t *state = block_find(w, page, &run);

    if (!state || *state != UNASKED)
        return;
    *state = WAITS;
    w->queue[(w->head + w->waiting++) % w->blocks] = run;
}

int memorywants_next(struct memorywants *w, page_run *want)
{
    if (w->waiting == 0 || w->on_way == MOST)
        return 0;
    *block_find(w, w->queue[w->head].start, want) = ON_ITS_WAY;
    w->head = (w->head + 1) % w->blocks;
    w->waiting--;
    w->on_way++;
    return 1;
}

void memorywants_given(struct memorywants *w, uint64_t start)
{
    page_run run;
    uint8_t *state = block_find(w, start, &run);

    /* The peer may say so of what it was never asked for. */
    if (!state || *state != ON_ITS_WAY)
        return;
    *state = UNASKED;
    w->on_way--;
}

struct memorywants *memorywants_new(const page_region *regions, unsigned count)
{
    struct memorywants *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->regions = regions;
    w->count = count;
    w->first = calloc(count + 1, sizeof(*w->first));
    for (unsigned i = 0; w->first && i < count; i++) {
        w->first[i] = w->blocks;
        w->blocks += region_blocks(&regions[i]);
    }
    w->states = calloc(w->blocks + 1, sizeof(*w->states));
    w->queue = calloc(w->blocks + 1, sizeof(*w->queue));
    if (w->first && w->states && w->queue)
        return w;
    memorywants_free(w);
    errno = ENOMEM;
    return NULL;
}

void memorywants_free(struct memorywants *w)
{
    if (!w)
        return;
    free(w->first);
    free(w->states);
    free(w->queue);
    free(w);
}
