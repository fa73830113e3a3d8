/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "migrate/relay_ring.h"

static unsigned piece_of(size_t at)
{
    return (unsigned)(at / RING_PIECE % RING_PIECES);
}

uint8_t *ring_space(struct ring *ring, size_t *len)
{
    size_t tail = ring->head + ring->len;
    uint8_t **piece = &ring->pieces[piece_of(tail)];

    if (!*piece)
        *piece = ring->spares > 0 ? ring->spare[--ring->spares] : malloc(RING_PIECE);
    if (!*piece)
        return NULL;
    *len = RING_PIECE - tail % RING_PIECE;
    return *piece + tail % RING_PIECE;
}

void ring_commit(struct ring *ring, size_t len)
{
    ring->len += len;
}

int ring_span(const struct ring *ring, size_t offset, size_t len, struct iovec iov[RING_PIECES])
{
    size_t at = ring->head + offset;
    int count = 0;

    while (len > 0) {
        size_t left = RING_PIECE - at % RING_PIECE, part = left < len ? left : len;

        iov[count++] = (struct iovec){ .iov_len = part,
                                       .iov_base = ring->pieces[piece_of(at)] + at % RING_PIECE };
        at += part;
        len -= part;
    }
    return count;
}

uint32_t ring_word(const struct ring *ring, size_t offset)
{
    uint32_t word = 0;

    for (size_t at = ring->head + offset; at < ring->head + offset + 4; at++)
        word = word << 8 | ring->pieces[piece_of(at)][at % RING_PIECE];
    return word;
}

static void piece_spare(struct ring *ring, unsigned piece)
{
    ring->spare[ring->spares++] = ring->pieces[piece];
    ring->pieces[piece] = NULL;
}

void ring_drop(struct ring *ring, size_t len)
{
    size_t in_piece = ring->head % RING_PIECE + len;

    ring->len -= len;
    for (; in_piece >= RING_PIECE; in_piece -= RING_PIECE) {
        piece_spare(ring, piece_of(ring->head));
        ring->head = (ring->head / RING_PIECE + 1) % RING_PIECES * RING_PIECE;
    }
    /* An empty ring starts its piece over. */
    ring->head = ring->head / RING_PIECE * RING_PIECE + (ring->len ? in_piece : 0);
}

void ring_free(struct ring *ring)
{
    for (unsigned i = 0; i < RING_PIECES; i++)
        free(ring->pieces[i]);
    while (ring->spares > 0)
        free(ring->spare[--ring->spares]);
    memset(ring, 0, sizeof(*ring));
}
