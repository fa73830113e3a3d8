/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "migrate/relay_ring.h"

uint8_t *ring_space(struct ring *ring, size_t *len)
{
    size_t tail = ring->head + ring->len;

    if (!ring->bytes) {
        ring->bytes = malloc(ring->size);
        if (!ring->bytes)
            return NULL;
    }
    if (tail < ring->size) {
        *len = ring->size - tail;
    } else {
        tail -= ring->size;
        *len = ring->head - tail;
    }
    return ring->bytes + tail;
}

void ring_commit(struct ring *ring, size_t len)
{
    ring->len += len;
}

int ring_span(const struct ring *ring, size_t offset, size_t len, struct iovec iov[2])
{
    size_t at = (ring->head + offset) % ring->size;
    size_t first = ring->size - at < len ? ring->size - at : len;

    iov[0] = (struct iovec){ .iov_base = ring->bytes + at, .iov_len = first };
    if (first == len)
        return 1;
    iov[1] = (struct iovec){ .iov_base = ring->bytes, .iov_len = len - first };
    return 2;
}

uint32_t ring_word(const struct ring *ring, size_t offset)
{
    uint32_t word = 0;

    for (size_t i = 0; i < 4; i++)
        word = word << 8 | ring->bytes[(ring->head + offset + i) % ring->size];
    return word;
}

void ring_drop(struct ring *ring, size_t len)
{
    ring->len -= len;
    /* An empty ring starts over, so that most spans are in one piece. */
    ring->head = ring->len ? (ring->head + len) % ring->size : 0;
}

void ring_free(struct ring *ring)
{
    free(ring->bytes);
    ring->bytes = NULL;
    ring->head = ring->len = 0;
}
