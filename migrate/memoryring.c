/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/memoryring.h"
#include "migrate/pagestore.h"
#include "proto/bproc.h"

#define PLACES 8                        /* in use a MiB of each, as the master makes batches */
#define PLACE_BYTES (BPROC_MAX_BATCH * PAGE_BYTES)
#define HEAD_BYTES PAGE_BYTES
#define RING_BYTES (HEAD_BYTES + PLACES * PLACE_BYTES)
#define NOWHERE PLACES

#define EMPTY 0U                        /* or being written */
#define TAKEN (1U << 31)                /* is being read */

/* Shared by both. */
struct head {
    _Atomic uint32_t places[PLACES];    /* EMPTY, or the number of its batch and 1, and TAKEN */
};

struct memoryring {
    int fd;
    struct head *head;
    unsigned room;                      /* the place that is written, or was last */
    unsigned taken;
};

struct memoryring *memoryring_open(int fd)
{
    struct memoryring *ring = malloc(sizeof(*ring));
    struct stat st;

    /* What is behind its end must not be touched. */
    if (ring && (fstat(fd, &st) < 0 || (size_t)st.st_size != RING_BYTES)) {
        errno = EPROTO;
        free(ring);
        ring = NULL;
    }
    if (ring)
        ring->head = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (!ring || ring->head == MAP_FAILED) {
        int error = errno;

        close(fd);
        free(ring);
        errno = error;
        return NULL;
    }
    /* Users' memory has no place in a core file. */
    madvise(ring->head, RING_BYTES, MADV_DONTDUMP);
    ring->fd = fd;
    ring->room = ring->taken = NOWHERE;
    return ring;
}

struct memoryring *memoryring_make(void)
{
    int fd = memfd_create("bproc-batches", MFD_CLOEXEC), error;

    if (fd < 0)
        return NULL;
    if (ftruncate(fd, RING_BYTES) == 0)
        return memoryring_open(fd);
    error = errno;
    close(fd);
    errno = error;
    return NULL;
}

int memoryring_fd(const struct memoryring *ring)
{
    return ring->fd;
}

void memoryring_free(struct memoryring *ring)
{
    if (!ring)
        return;
    munmap(ring->head, RING_BYTES);
    close(ring->fd);
    free(ring);
}

static uint8_t *place_of(const struct memoryring *ring, unsigned place)
{
    return (uint8_t *)ring->head + HEAD_BYTES + place * PLACE_BYTES;
}

/* Always the first that is empty: of one who keeps up that is the same few, which stay cached. */
static unsigned place_empty(const struct memoryring *ring)
{
    unsigned place = 0;

    while (place < PLACES && atomic_load(&ring->head->places[place]) != EMPTY)
        place++;
    return place;
}

static int place_clear(struct memoryring *ring, unsigned place)
{
    uint32_t holds = atomic_load(&ring->head->places[place]);

    return !(holds & TAKEN) &&
           atomic_compare_exchange_strong(&ring->head->places[place], &holds, EMPTY);
}

/*
 * The batch that came last goes first: who is behind comes to the others sooner. All but that which
 * is being read can be cleared, so one of two can.
 */
static unsigned place_find(struct memoryring *ring)
{
    unsigned place = place_empty(ring);

    if (place < PLACES)
        return place;
    place = ring->room < PLACES ? ring->room : 0;
    while (!place_clear(ring, place))
        place = (place + 1) % PLACES;
    return place;
}

uint8_t *memoryring_room(struct memoryring *ring)
{
    if (ring->room == NOWHERE || atomic_load(&ring->head->places[ring->room]) != EMPTY)
        ring->room = place_find(ring);
    return place_of(ring, ring->room);
}

void memoryring_put(struct memoryring *ring, unsigned number)
{
    atomic_store(&ring->head->places[ring->room], (number + 1) & ~TAKEN);
}

const uint8_t *memoryring_get(struct memoryring *ring, unsigned number)
{
    const uint32_t wanted = (number + 1) & ~TAKEN;

    for (unsigned place = 0; place < PLACES; place++) {
        uint32_t holds = wanted;

        if (atomic_compare_exchange_strong(&ring->head->places[place], &holds, wanted | TAKEN)) {
            ring->taken = place;
            return place_of(ring, place);
        }
    }
    return NULL;
}

void memoryring_done(struct memoryring *ring)
{
    if (ring->taken != NOWHERE)
        atomic_store(&ring->head->places[ring->taken], EMPTY);
    ring->taken = NOWHERE;
}
