/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "migrate/bulk.h"
#include "migrate/memorysend.h"

#define PLAIN_PAGES 256UL               /* of a batch; what is read should still be in the cache */
#define ENTRIES 4096UL                  /* of /proc/PID/pagemap, looked at together */
#define IS_THERE (3ULL << 62)           /* in memory, or swapped out */

struct sender {
    SSL *ssl;
    pid_t task;
    int pagemap;
    const struct pageoffer_answer *answer;
    size_t offers;                      /* pages that may still be sent by name */
    uint64_t *bytes;
    size_t pages, limit;                /* of the batch */
    unsigned count;
    page_run runs[BPROC_MAX_BATCH];
    struct iovec far[BPROC_MAX_BATCH];
    uint64_t entries[ENTRIES];
    uint8_t data[BPROC_MAX_BATCH * PAGE_BYTES];
};

static void batch_begin(struct sender *s)
{
    s->count = 0;
    s->pages = 0;
    s->limit = s->offers >= BPROC_MAX_BATCH ? BPROC_MAX_BATCH : PLAIN_PAGES;
}

/* Where pages go out. */
static int batch_put(struct sender *s)
{
    page_batch batch = { .offered = s->offers >= s->pages, .runs = { s->count, s->runs } };
    int error = bulk_put(s->ssl, P_BULK_PAGES, 0, FRAME_XDR(page_batch), &batch);

    if (error)
        return error;
    if (batch.offered) {
        s->offers -= s->pages;
        return pageoffer_send(s->ssl, s->data, s->pages, s->answer, s->bytes);
    }
    *s->bytes += s->pages * PAGE_BYTES;
    for (size_t at = 0; !error && at < s->pages; at += PLAIN_PAGES) {
        size_t part = s->pages - at < PLAIN_PAGES ? s->pages - at : PLAIN_PAGES;

        error = bulk_put_data(s->ssl, P_BULK_DATA, 0, s->data + at * PAGE_BYTES,
                              part * PAGE_BYTES);
    }
    return error;
}

static int batch_read(struct sender *s)
{
    struct iovec near = { s->data, s->pages * PAGE_BYTES };
    ssize_t n;

    for (unsigned i = 0; i < s->count; i++)
        s->far[i] = (struct iovec){ (void *)(uintptr_t)s->runs[i].start,
                                    s->runs[i].pages * PAGE_BYTES };
    n = process_vm_readv(s->task, &near, 1, s->far, s->count, 0);
    return n < 0 ? -errno : (size_t)n == near.iov_len ? 0 : -EFAULT;
}

static int page_is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE_BYTES - 1) == 0;
}

/* Runs of two regions stay two, though they may touch: a region is what can be filled at once. */
static void page_keep(struct sender *s, uint64_t start, const uint8_t *page, unsigned first)
{
    page_run *last = s->count > first ? &s->runs[s->count - 1] : NULL;
    uint8_t *to = s->data + s->pages++ * PAGE_BYTES;

    if (to != page)
        memcpy(to, page, PAGE_BYTES);
    if (last && last->start + last->pages * PAGE_BYTES == start)
        last->pages++;
    else
        s->runs[s->count++] = (page_run){ .start = start, .pages = 1 };
}

/* Pages of zeros are as if never written. What is kept never overtakes what is still to be seen. */
static void batch_sift(struct sender *s)
{
    const uint8_t *page = s->data;
    unsigned count = s->count;

    s->count = 0;
    s->pages = 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t start = (uintptr_t)s->far[i].iov_base;
        const uint8_t *end = page + s->far[i].iov_len;
        unsigned first = s->count;

        for (; page < end; page += PAGE_BYTES, start += PAGE_BYTES)
            if (!page_is_zero(page))
                page_keep(s, start, page, first);
    }
}

static int batch_send(struct sender *s)
{
    int error = batch_read(s);

    if (!error) {
        batch_sift(s);
        error = s->pages ? batch_put(s) : 0;
    }
    batch_begin(s);
    return error;
}

/* Pages that are there, one after another. */
static int run_add(struct sender *s, uint64_t start, size_t pages)
{
    int error = 0;

    while (!error && pages > 0) {
        size_t room = s->limit - s->pages, part = pages < room ? pages : room;

        s->runs[s->count++] = (page_run){ .start = start, .pages = (unsigned)part };
        s->pages += part;
        start += part * PAGE_BYTES;
        pages -= part;
        if (s->pages == s->limit)
            error = batch_send(s);
    }
    return error;
}

static int window_add(struct sender *s, uint64_t start, size_t pages)
{
    ssize_t len = (ssize_t)(pages * sizeof(*s->entries));
    int error = 0;

    if (pread(s->pagemap, s->entries, (size_t)len,
              (off_t)(start / PAGE_BYTES * sizeof(*s->entries))) != len)
        return -ESRCH;
    for (size_t from = 0, to; !error && from < pages; from = to + 1) {
        for (to = from; to < pages && s->entries[to] & IS_THERE; to++)
            continue;
        if (to > from)
            error = run_add(s, start + from * PAGE_BYTES, to - from);
    }
    return error;
}

static int region_add(struct sender *s, const page_region *region)
{
    uint64_t pages = region->size / PAGE_BYTES;
    int error = 0;

    for (uint64_t done = 0; !error && done < pages; done += ENTRIES)
        error = window_add(s, region->start + done * PAGE_BYTES,
                           pages - done < ENTRIES ? pages - done : ENTRIES);
    return error;
}

int memorysend_run(SSL *ssl, const dump_arg *dump, const struct pageoffer_answer *answer,
                   uint64_t *bytes)
{
    struct sender *s = malloc(sizeof(*s));
    char path[40];
    int error = 0;

    if (!s)
        return -ENOMEM;
    snprintf(path, sizeof(path), "/proc/%d/pagemap", dump->source);
    s->ssl = ssl;
    s->task = dump->source_task;
    s->answer = answer;
    s->offers = answer ? PAGESTORE_PAGES : 0;
    s->bytes = bytes;
    s->pagemap = open(path, O_RDONLY | O_CLOEXEC);
    if (s->pagemap < 0)
        error = -errno;
    batch_begin(s);
    for (unsigned i = 0; !error && i < dump->regions.regions_len; i++)
        error = region_add(s, &dump->regions.regions_val[i]);
    if (!error && s->pages)
        error = batch_send(s);
    if (s->pagemap >= 0)
        close(s->pagemap);
    free(s);
    return error ? error : bulk_send(ssl, P_BULK_END, 0, NULL, NULL);
}
