/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of bytes of bounded size: what the peer has sent and the write end has not yet taken.
 *
 * It is a ring of pieces. One that has been emptied is the next to be filled, as it is what the
 * processor still has in its cache: in one buffer of the window's size each byte would go to where
 * none has been for long, which costs as much as to decipher it.
 *
 * Life: zeroed memory is an empty ring; its memory comes with the bytes and goes with ring_free().
 * The window of the stream, RING_MAX at most, keeps it from ever running over.
 */
#ifndef BPROC_RELAY_RING_H
#define BPROC_RELAY_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define RING_MAX (3 * 1024 * 1024)
#define RING_PIECE (64 * 1024)
#define RING_PIECES (RING_MAX / RING_PIECE + 1)     /* as the first one may be empty in part */

struct ring {
    uint8_t *pieces[RING_PIECES];
    uint8_t *spare[RING_PIECES];
    unsigned spares;
    size_t head;
    size_t len;
};

/* Where the next bytes go: *len of them in one piece. NULL: out of memory. */
uint8_t *ring_space(struct ring *ring, size_t *len);

/* `len` bytes were put there. */
void ring_commit(struct ring *ring, size_t len);

/* Points at `len` bytes from `offset` on; how many of the RING_PIECES iovs that took. */
int ring_span(const struct ring *ring, size_t offset, size_t len, struct iovec iov[RING_PIECES]);

/* The four bytes at `offset` as a number, most significant first. */
uint32_t ring_word(const struct ring *ring, size_t offset);

/* Forgets the first `len` bytes. */
void ring_drop(struct ring *ring, size_t len);

void ring_free(struct ring *ring);

#endif
