/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bpcp_ring.h"

int ring_init(struct ring *ring, size_t size)
{
    *ring = (struct ring) { .bytes = malloc(size), .size = size };
    return ring->bytes ? 0 : -ENOMEM;
}

int ring_resize(struct ring *ring, size_t size)
{
    struct ring larger;
    size_t used = 0;

    if (ring_init(&larger, size) < 0)
        return -ENOMEM;
    while (ring->start + used < ring->end)
        used += ring_copy(ring, ring->start + used, larger.bytes + used, size - used);
    larger.start = larger.base = ring->start;
    larger.end = ring->end;
    ring_free(ring);
    *ring = larger;
    return 0;
}

void ring_free(struct ring *ring)
{
    free(ring->bytes);
    ring->bytes = NULL;
}

size_t ring_room(const struct ring *ring)
{
    return ring->size - (size_t)(ring->end - ring->start);
}

/* Bytes at `pos` that lie side by side, at most `most`. */
static size_t piece_find(const struct ring *ring, uint64_t pos, size_t most, char **bytes)
{
    size_t offset = (size_t)((pos - ring->base) % ring->size);

    *bytes = ring->bytes + offset;
    return most < ring->size - offset ? most : ring->size - offset;
}

ssize_t ring_read(struct ring *ring, int fd, size_t most)
{
    size_t room = ring_room(ring);
    char *bytes;
    size_t count;
    ssize_t n;

    /* What has been used last is still in the processor's cache. */
    if (ring->start == ring->end)
        ring->base = ring->end;
    count = piece_find(ring, ring->end, most < room ? most : room, &bytes);
    n = read(fd, bytes, count);
    if (n < 0)
        return -errno;
    ring->end += (uint64_t)n;
    return n;
}

int ring_write(const struct ring *ring, uint64_t *pos, uint64_t end, int fd)
{
    while (*pos < end) {
        char *bytes;
        size_t count = piece_find(ring, *pos, (size_t)(end - *pos), &bytes);
        ssize_t n = write(fd, bytes, count);

        if (n >= 0)
            *pos += (uint64_t)n;
        else if (errno == EAGAIN)
            return 0;
        else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

size_t ring_copy(const struct ring *ring, uint64_t pos, void *bytes, size_t most)
{
    size_t there = (size_t)(ring->end - pos), count;
    char *from;

    count = piece_find(ring, pos, most < there ? most : there, &from);
    memcpy(bytes, from, count);
    return count;
}

void ring_skip(struct ring *ring, size_t count)
{
    ring->end += count;
    ring->start = ring->end;
}

void ring_drop(struct ring *ring, uint64_t pos)
{
    ring->start = pos;
}
