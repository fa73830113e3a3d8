/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "migrate/memoryqueue.h"
#include "migrate/memoryread.h"
#include "migrate/pagehash.h"

/*
 * What is read should still be in the cache when it is sent. Of what is named first, and of what
 * others wait for by whole batches, fewer words are better.
 */
#define PAGES 64UL
#define NAMED_PAGES 256UL
#define ROOM_PAGES 2048UL               /* 8 MiB, most of what a dump leaves time for */
#define AHEAD 4                         /* batches, as soon as somebody takes them */

struct memoryread {
    struct memorywalk *walk;
    int memory;
    size_t offers, pages;
    pthread_t thread;
    struct memoryqueue *queue;
    struct pagehash *hash;              /* if there are offers */
};

/* The next pages that are there and not all zeros. */
static int batch_fill(struct memoryread *r, struct memorybatch *batch)
{
    do {
        page_run run;
        int found = 1, error;

        memorybatch_clear(batch);
        while (batch->pages < r->pages &&
               (found = memorywalk_next(r->walk, r->pages - batch->pages, &run)) > 0)
            memorybatch_note(batch, &run);
        if (found < 0 || batch->pages == 0)
            return found;
        error = memorybatch_read(batch, r->memory);
        if (error)
            return error;
    } while (batch->pages == 0);
    batch->offered = r->offers >= batch->pages;
    if (batch->offered) {
        int error = pagehash_names(r->hash, batch->data, batch->pages, batch->names);

        r->offers -= batch->pages;
        return error ? error : 1;
    }
    return 1;
}

static void *reader_run(void *arg)
{
    struct memoryread *r = arg;
    struct memorybatch *batch;
    int found = 1;

    /* Many pages at a time take less than half of what they take one after the other. */
    r->hash = r->offers ? pagehash_new() : NULL;
    if (!r->hash)
        r->offers = 0;
    while (found > 0 && (batch = memoryqueue_room(r->queue))) {
        found = batch_fill(r, batch);
        memoryqueue_put(r->queue, batch, found);
    }
    return NULL;
}

struct memoryread *memoryread_start(struct memorywalk *walk, int memory, size_t offers, int listed)
{
    struct memoryread *r = malloc(sizeof(*r));
    int error;

    if (!r)
        return NULL;
    r->walk = walk;
    r->memory = memory;
    r->offers = offers;
    r->hash = NULL;
    r->pages = offers || listed ? NAMED_PAGES : PAGES;
    r->queue = memoryqueue_new(ROOM_PAGES / r->pages, r->pages, AHEAD, 1);
    error = r->queue ? pthread_create(&r->thread, NULL, reader_run, r) : ENOMEM;
    /* Who shares root and directory with a thread cannot change its mount namespace (mountns.h). */
    if (!error && unshare(CLONE_FS) == 0)
        return r;
    if (!error) {
        memoryread_stop(r);
        errno = ENOMEM;
        return NULL;
    }
    memoryqueue_free(r->queue);
    free(r);
    errno = error;
    return NULL;
}

int memoryread_next(struct memoryread *r, struct memorybatch **batch)
{
    return memoryqueue_next(r->queue, batch);
}

void memoryread_stop(struct memoryread *r)
{
    if (!r)
        return;
    memoryqueue_stop(r->queue);
    pthread_join(r->thread, NULL);
    memoryqueue_free(r->queue);
    pagehash_free(r->hash);
    free(r);
}
