/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes into the ring comes out of it, wherever its pieces begin and end. */
#include "config.h"

#include "migrate/relay_ring.h"
#include "tests/unit/tap.h"

#define STEPS 2000

static struct ring ring;
static unsigned put, taken;     /* bytes; each is told from its place */
static unsigned dice = 1;

static size_t any(size_t most)
{
    dice = dice * 1103515245 + 12345;
    return (dice >> 8) % most + 1;
}

static uint8_t byte_at(unsigned place)
{
    return (uint8_t)(place % 251);
}

static void fill(size_t len)
{
    while (len > 0) {
        size_t room;
        uint8_t *at = ring_space(&ring, &room);

        if (room > len)
            room = len;
        for (size_t i = 0; i < room; i++)
            at[i] = byte_at(put++);
        ring_commit(&ring, room);
        len -= room;
    }
}

/* Whether these are the bytes from there on. */
static bool holds(size_t offset, size_t len)
{
    struct iovec iov[RING_PIECES];
    int count = ring_span(&ring, offset, len, iov);
    unsigned place = taken + (unsigned)offset;

    for (int i = 0; i < count; i++)
        for (size_t b = 0; b < iov[i].iov_len; b++)
            if (((uint8_t *)iov[i].iov_base)[b] != byte_at(place++))
                return false;
    return place == taken + offset + len;
}

static bool word_is_right(size_t offset)
{
    uint32_t word = 0;

    for (unsigned i = 0; i < 4; i++)
        word = word << 8 | byte_at(taken + (unsigned)offset + i);
    return ring_word(&ring, offset) == word;
}

static bool step(size_t most)
{
    if (ring.len < RING_MAX)
        fill(any(most < RING_MAX - ring.len ? most : RING_MAX - ring.len));
    if (ring.len >= 4 && !word_is_right(any(ring.len - 3) - 1))
        return false;
    if (ring.len > 0) {
        size_t len = any(ring.len);

        if (!holds(any(ring.len - len + 1) - 1, len))
            return false;
        len = any(ring.len < most ? ring.len : most);
        ring_drop(&ring, len);
        taken += (unsigned)len;
    }
    return ring.len == put - taken;
}

static unsigned pieces(void)
{
    unsigned count = ring.spares;

    for (unsigned i = 0; i < RING_PIECES; i++)
        count += ring.pieces[i] != NULL;
    return count;
}

static void steps(const char *name, size_t most)
{
    bool good = true;

    for (int i = 0; good && i < STEPS; i++)
        good = step(most);
    ok(good, "%s", name);
}

int main(void)
{
    steps("little at a time", 100);
    ok(pieces() <= 2, "takes little memory");
    steps("pieces and more at a time", 3 * RING_PIECE);
    fill(RING_MAX - ring.len);
    ok(holds(0, RING_MAX), "all of the window is there");
    ok(pieces() <= RING_PIECES, "in no more than it has places for");
    ring_drop(&ring, RING_MAX);
    taken = put;
    steps("and on from empty", RING_PIECE);
    ring_free(&ring);
    is_int(pieces(), 0, "an ended one has no memory");
    return done_testing();
}
