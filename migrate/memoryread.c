/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "migrate/memoryread.h"
#include "migrate/pageoffer.h"

/* What is read should still be in the cache; and each node of a vector waits for a whole batch. */
#define PAGES 256UL
#define SLOTS 8                         /* 8 MiB, most of what a dump leaves time for */

struct slot {
    int found;                          /* as memoryread_next() */
    struct memorybatch batch;
};

struct memoryread {
    struct memorywalk *walk;
    int memory;
    size_t offers;
    pthread_t thread;
    atomic_int stopped;
    sem_t full, empty;
    unsigned next;                      /* the slot that is taken next */
    int last;                           /* what the one before it said */
    struct slot slots[SLOTS];
};

/* The next pages that are there and not all zeros. */
static int batch_fill(struct memoryread *r, struct memorybatch *batch)
{
    do {
        page_run run;
        int found = 1, error;

        memorybatch_clear(batch);
        while (batch->pages < PAGES &&
               (found = memorywalk_next(r->walk, PAGES - batch->pages, &run)) > 0)
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

static void *reader_run(void *arg)
{
    struct memoryread *r = arg;
    int found = 1;

    for (unsigned i = 0; found > 0; i = (i + 1) % SLOTS) {
        while (sem_wait(&r->empty) < 0)
            continue;
        if (atomic_load(&r->stopped))
            break;
        found = r->slots[i].found = batch_fill(r, &r->slots[i].batch);
        sem_post(&r->full);
    }
    return NULL;
}

struct memoryread *memoryread_start(struct memorywalk *walk, int memory, size_t offers)
{
    struct memoryread *r = malloc(sizeof(*r));
    int error;

    if (!r)
        return NULL;
    r->walk = walk;
    r->memory = memory;
    r->offers = offers;
    r->next = 0;
    r->last = -1;
    atomic_init(&r->stopped, 0);
    sem_init(&r->full, 0, 0);
    sem_init(&r->empty, 0, SLOTS);
    error = pthread_create(&r->thread, NULL, reader_run, r);
    /* Who shares root and directory with a thread cannot change its mount namespace (mountns.h). */
    if (!error && unshare(CLONE_FS) == 0)
        return r;
    if (!error) {
        memoryread_stop(r);
        errno = ENOMEM;
        return NULL;
    }
    free(r);
    errno = error;
    return NULL;
}

int memoryread_next(struct memoryread *r, struct memorybatch **batch)
{
    struct slot *slot = &r->slots[r->next];

    if (r->last > 0)
        sem_post(&r->empty);
    while (sem_wait(&r->full) < 0)
        continue;
    r->next = (r->next + 1) % SLOTS;
    *batch = &slot->batch;
    r->last = slot->found;
    return r->last;
}

void memoryread_stop(struct memoryread *r)
{
    if (!r)
        return;
    atomic_store(&r->stopped, 1);
    sem_post(&r->empty);
    pthread_join(r->thread, NULL);
    sem_destroy(&r->full);
    sem_destroy(&r->empty);
    free(r);
}
