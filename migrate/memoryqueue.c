/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "migrate/memoryqueue.h"

#define HUGE_PAGE (2UL << 20)

struct slot {
    struct memorybatch batch;           /* the first, as its address is the slot's */
    int found;
};

struct memoryqueue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int stopped;
    unsigned limit;                     /* of those that are full */
    unsigned ahead;                     /* as soon as one is taken */
    struct slot *full[MEMORYQUEUE_MAX]; /* a ring */
    unsigned first, count;
    struct slot *empty[MEMORYQUEUE_MAX];    /* the last was used last, and is still cached */
    unsigned spare;
    struct slot *taken;
    uint8_t *room;
    struct slot slots[];
};

static int room_make(struct memoryqueue *q, unsigned count, size_t pages, int whole)
{
    size_t size = (count * pages * PAGE_BYTES + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);

    q->room = aligned_alloc(HUGE_PAGE, size);
    if (!q->room)
        return -ENOMEM;
    /* A fault for each page would cost a good part of what comes into it. */
    if (whole)
        madvise(q->room, size, MADV_HUGEPAGE);
    for (; q->spare < count; q->spare++) {
        q->empty[q->spare] = &q->slots[q->spare];
        q->slots[q->spare].batch.data = q->room + q->spare * pages * PAGE_BYTES;
    }
    return 0;
}

struct memoryqueue *memoryqueue_new(unsigned count, size_t pages, unsigned ahead, int whole)
{
    struct memoryqueue *q = malloc(sizeof(*q) + count * sizeof(q->slots[0]));

    if (!q)
        return NULL;
    memset(q, 0, offsetof(struct memoryqueue, slots));
    q->limit = count;
    q->ahead = ahead;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    if (room_make(q, count, pages, whole) == 0)
        return q;
    memoryqueue_free(q);
    errno = ENOMEM;
    return NULL;
}

struct memorybatch *memoryqueue_room(struct memoryqueue *q)
{
    struct slot *slot = NULL;

    pthread_mutex_lock(&q->lock);
    while (!q->stopped && (q->spare == 0 || q->count >= q->limit))
        pthread_cond_wait(&q->changed, &q->lock);
    if (!q->stopped)
        slot = q->empty[--q->spare];
    pthread_mutex_unlock(&q->lock);
    return slot ? &slot->batch : NULL;
}

void memoryqueue_put(struct memoryqueue *q, struct memorybatch *batch, int found)
{
    struct slot *slot = (struct slot *)(void *)batch;

    pthread_mutex_lock(&q->lock);
    slot->found = found;
    q->full[(q->first + q->count++) % MEMORYQUEUE_MAX] = slot;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

int memoryqueue_next(struct memoryqueue *q, struct memorybatch **batch)
{
    int found = -ECANCELED;

    pthread_mutex_lock(&q->lock);
    q->limit = q->ahead;
    if (q->taken)
        q->empty[q->spare++] = q->taken;
    q->taken = NULL;
    pthread_cond_signal(&q->changed);
    while (!q->stopped && q->count == 0)
        pthread_cond_wait(&q->changed, &q->lock);
    if (!q->stopped) {
        q->taken = q->full[q->first];
        q->first = (q->first + 1) % MEMORYQUEUE_MAX;
        q->count--;
        *batch = &q->taken->batch;
        found = q->taken->found;
    }
    pthread_mutex_unlock(&q->lock);
    return found;
}

void memoryqueue_stop(struct memoryqueue *q)
{
    pthread_mutex_lock(&q->lock);
    q->stopped = 1;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

void memoryqueue_free(struct memoryqueue *q)
{
    if (!q)
        return;
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->changed);
    free(q->room);
    free(q);
}
