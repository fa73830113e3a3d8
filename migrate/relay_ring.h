/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of bytes of fixed size: what the peer has sent and the write end has not yet taken.
 *
 * Life: zeroed memory with `size` set is an empty ring; its memory comes with the first byte and
 * goes with ring_free(). The window of the stream keeps it from ever running over.
 */
#ifndef BPROC_RELAY_RING_H
#define BPROC_RELAY_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct ring {
    uint8_t *bytes;
    size_t size;
    size_t head;
    size_t len;
};

/* Where the next bytes go: *len of them in one piece. NULL: out of memory. */
uint8_t *ring_space(struct ring *ring, size_t *len);

/* `len` bytes were put there. */
void ring_commit(struct ring *ring, size_t len);

/* Points at `len` bytes from `offset` on, in one or two pieces; their count. */
int ring_span(const struct ring *ring, size_t offset, size_t len, struct iovec iov[2]);

/* The four bytes at `offset` as a number, most significant first. */
uint32_t ring_word(const struct ring *ring, size_t offset);

/* Forgets the first `len` bytes. */
void ring_drop(struct ring *ring, size_t len);

void ring_free(struct ring *ring);

#endif
