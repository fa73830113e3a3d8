/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "migrate/memorywalk.h"
#include "migrate/pagestore.h"

#define ENTRIES 1024UL                  /* of /proc/PID/pagemap, looked at together */
#define IS_THERE (3ULL << 62)           /* in memory, or swapped out */

struct memorywalk {
    const page_region *regions;
    unsigned count;
    int pagemap;
    uint8_t **found;                    /* a bit for each page of a region; made when it is due */
    unsigned region;                    /* where the walk in turn is */
    uint64_t page;
    unsigned window_region;             /* what the entries are of */
    uint64_t window, window_end;
    uint64_t entries[ENTRIES];
};

static uint64_t region_pages(const struct memorywalk *w, unsigned region)
{
    return w->regions[region].size / PAGE_BYTES;
}

/* Has the entries tell of that page. */
static int window_move(struct memorywalk *w, unsigned region, uint64_t page)
{
    uint64_t pages = region_pages(w, region) - page;
    size_t len = (pages < ENTRIES ? pages : ENTRIES) * sizeof(*w->entries);
    uint64_t start = w->regions[region].start / PAGE_BYTES + page;

    if (w->window_region == region && page >= w->window && page < w->window_end)
        return 0;
    w->window_end = 0;
    if (pread(w->pagemap, w->entries, len, (off_t)(start * sizeof(*w->entries))) != (ssize_t)len)
        return -ESRCH;
    w->window_region = region;
    w->window = page;
    w->window_end = page + len / sizeof(*w->entries);
    return 0;
}

/* 1: it is there and was not found before. */
static int page_is_due(struct memorywalk *w, unsigned region, uint64_t page)
{
    int error = window_move(w, region, page);

    if (error)
        return error;
    return w->entries[page - w->window] & IS_THERE && !(w->found[region][page / 8] >> page % 8 & 1);
}

/* The first pages from *page on, before `end`, that are due; *page is behind them then. */
static int pages_find(struct memorywalk *w, unsigned region, uint64_t *page, uint64_t end,
                      size_t limit, page_run *run)
{
    int due = 0;

    if (!w->found[region])
        w->found[region] = calloc(1, region_pages(w, region) / 8 + 1);
    if (!w->found[region])
        return -ENOMEM;
    *run = (page_run){ .pages = 0 };
    for (; *page < end && run->pages < limit; ++*page) {
        due = page_is_due(w, region, *page);
        if (due < 0)
            return due;
        if (!due && run->pages)
            break;
        if (!due)
            continue;
        w->found[region][*page / 8] |= (uint8_t)(1 << *page % 8);
        if (run->pages++ == 0)
            run->start = w->regions[region].start + *page * PAGE_BYTES;
    }
    return run->pages > 0;
}

int memorywalk_next(struct memorywalk *w, size_t limit, page_run *run)
{
    for (; w->region < w->count; w->region++, w->page = 0) {
        int found = pages_find(w, w->region, &w->page, region_pages(w, w->region), limit, run);

        if (found)
            return found;
    }
    return 0;
}

int memorywalk_take(struct memorywalk *w, const page_run *range, page_run *run)
{
    for (unsigned i = 0; i < w->count; i++) {
        const page_region *region = &w->regions[i];
        uint64_t page = (range->start - region->start) / PAGE_BYTES;
        uint64_t end = page + range->pages, last = region_pages(w, i);

        if (range->start >= region->start && page < last)
            return pages_find(w, i, &page, end < last ? end : last, range->pages, run);
    }
    return 0;
}

struct memorywalk *memorywalk_new(const dump_arg *dump)
{
    struct memorywalk *w = calloc(1, sizeof(*w));
    char path[40];

    if (!w)
        return NULL;
    snprintf(path, sizeof(path), "/proc/%d/pagemap", dump->source);
    w->regions = dump->regions.regions_val;
    w->count = dump->regions.regions_len;
    w->found = calloc(w->count + 1, sizeof(*w->found));
    w->pagemap = open(path, O_RDONLY | O_CLOEXEC);
    if (w->found && w->pagemap >= 0)
        return w;
    memorywalk_free(w);
    return NULL;
}

void memorywalk_free(struct memorywalk *w)
{
    if (!w)
        return;
    for (unsigned i = 0; w->found && i < w->count; i++)
        free(w->found[i]);
    free(w->found);
    if (w->pagemap >= 0)
        close(w->pagemap);
    free(w);
}
