/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "migrate/memoryread.h"
#include "migrate/pageoffer.h"

/*
 * What is read should still be in the cache when it is sent. Of what is named first, and of what
 * others wait for by whole batches, fewer words are better.
 */
#define PAGES 64UL
#define NAMED_PAGES 256UL
#define ROOM_PAGES 2048UL               /* 8 MiB, most of what a dump leaves time for */
#define SLOTS (ROOM_PAGES / PAGES)
#define AHEAD 4                         /* batches, as soon as somebody takes them */
#define HUGE_PAGE (2UL << 20)

struct slot {
    int found;                          /* as memoryread_next() */
    struct memorybatch batch;
};

struct memoryread {
    struct memorywalk *walk;
    int memory;
    size_t offers, pages;
    pthread_t thread;
    pthread_mutex_t lock;               /* for what follows, up to the slots */
    pthread_cond_t changed;
    int stopped;
    unsigned limit;                     /* of those that are full */
    struct slot *full[SLOTS];           /* a ring */
    unsigned first, count;
    struct slot *empty[SLOTS];          /* the last one was sent last, and is cached */
    unsigned spare;
    struct slot *taken;
    uint8_t *room;
    struct slot slots[SLOTS];
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
        int error = pageoffer_name(batch->data, batch->pages, batch->names);

        r->offers -= batch->pages;
        return error ? error : 1;
    }
    return 1;
}

/* The next that may be filled; NULL: nobody wants more. */
static struct slot *empty_wait(struct memoryread *r)
{
    struct slot *slot = NULL;

    pthread_mutex_lock(&r->lock);
    while (!r->stopped && (r->spare == 0 || r->count >= r->limit))
        pthread_cond_wait(&r->changed, &r->lock);
    if (!r->stopped)
        slot = r->empty[--r->spare];
    pthread_mutex_unlock(&r->lock);
    return slot;
}

static void full_add(struct memoryread *r, struct slot *slot)
{
    pthread_mutex_lock(&r->lock);
    r->full[(r->first + r->count++) % SLOTS] = slot;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void *reader_run(void *arg)
{
    struct memoryread *r = arg;
    struct slot *slot;
    int found = 1;

    while (found > 0 && (slot = empty_wait(r))) {
        found = slot->found = batch_fill(r, &slot->batch);
        full_add(r, slot);
    }
    return NULL;
}

static int room_make(struct memoryread *r)
{
    r->room = aligned_alloc(HUGE_PAGE, ROOM_PAGES * PAGE_BYTES);
    if (!r->room)
        return ENOMEM;
    /* A fault for each page would cost as much as what is read into it. */
    madvise(r->room, ROOM_PAGES * PAGE_BYTES, MADV_HUGEPAGE);
    for (r->spare = 0; r->spare < ROOM_PAGES / r->pages; r->spare++) {
        r->empty[r->spare] = &r->slots[r->spare];
        r->slots[r->spare].batch.data = r->room + r->spare * r->pages * PAGE_BYTES;
    }
    r->limit = r->spare;
    return 0;
}

static void reader_free(struct memoryread *r)
{
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->changed);
    free(r->room);
    free(r);
}

struct memoryread *memoryread_start(struct memorywalk *walk, int memory, size_t offers, int listed)
{
    struct memoryread *r = malloc(sizeof(*r));
    int error;

    if (!r)
        return NULL;
    memset(r, 0, offsetof(struct memoryread, slots));
    r->walk = walk;
    r->memory = memory;
    r->offers = offers;
    r->pages = offers || listed ? NAMED_PAGES : PAGES;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    error = room_make(r);
    if (!error)
        error = pthread_create(&r->thread, NULL, reader_run, r);
    /* Who shares root and directory with a thread cannot change its mount namespace (mountns.h). */
    if (!error && unshare(CLONE_FS) == 0)
        return r;
    if (!error) {
        memoryread_stop(r);
        errno = ENOMEM;
        return NULL;
    }
    reader_free(r);
    errno = error;
    return NULL;
}

int memoryread_next(struct memoryread *r, struct memorybatch **batch)
{
    struct slot *slot;

    pthread_mutex_lock(&r->lock);
    r->limit = AHEAD;
    if (r->taken)
        r->empty[r->spare++] = r->taken;
    pthread_cond_signal(&r->changed);
    while (r->count == 0)
        pthread_cond_wait(&r->changed, &r->lock);
    slot = r->taken = r->full[r->first];
    r->first = (r->first + 1) % SLOTS;
    r->count--;
    pthread_mutex_unlock(&r->lock);
    *batch = &slot->batch;
    return slot->found;
}

void memoryread_stop(struct memoryread *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stopped = 1;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    reader_free(r);
}
