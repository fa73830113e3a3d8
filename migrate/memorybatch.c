/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "migrate/memorybatch.h"

void memorybatch_clear(struct memorybatch *b)
{
    b->pages = b->count = 0;
}

void memorybatch_note(struct memorybatch *b, const page_run *run)
{
    b->runs[b->count++] = *run;
    b->pages += run->pages;
}

static int page_is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE_BYTES - 1) == 0;
}

/* Runs of two regions stay two, though they may touch: a region is what can be filled at once. */
static void page_keep(struct memorybatch *b, uint64_t start, const uint8_t *page, unsigned first)
{
    page_run *last = b->count > first ? &b->runs[b->count - 1] : NULL;
    uint8_t *to = b->data + b->pages++ * PAGE_BYTES;

    if (to != page)
        memcpy(to, page, PAGE_BYTES);
    if (last && last->start + last->pages * PAGE_BYTES == start)
        last->pages++;
    else
        b->runs[b->count++] = (page_run){ .start = start, .pages = 1 };
}

/* Pages of zeros are as if never written. What is kept never overtakes what is still to be seen. */
static void batch_sift(struct memorybatch *b)
{
    const uint8_t *page = b->data;
    unsigned count = b->count;

    memcpy(b->found, b->runs, count * sizeof(b->runs[0]));
    b->count = 0;
    b->pages = 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t start = b->found[i].start;
        const uint8_t *end = page + b->found[i].pages * PAGE_BYTES;
        unsigned first = b->count;

        for (; page < end; page += PAGE_BYTES, start += PAGE_BYTES)
            if (!page_is_zero(page))
                page_keep(b, start, page, first);
    }
}

/*
 * Not by process_vm_readv(): that makes a copy of each page that the process shares with its parent
 * since the fork, and the process keeps it.
 */
int memorybatch_read(struct memorybatch *b, int memory)
{
    uint8_t *to = b->data;

    for (unsigned i = 0; i < b->count; i++) {
        size_t size = b->runs[i].pages * PAGE_BYTES;
        ssize_t n = pread(memory, to, size, (off_t)b->runs[i].start);

        if (n != (ssize_t)size)
            return n < 0 ? -errno : n == 0 ? -ESRCH : -EFAULT;
        to += size;
    }
    batch_sift(b);
    return 0;
}
