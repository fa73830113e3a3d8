/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part of a stream that is on its way: what was read and not everybody has had yet. Positions
 * count from the beginning of the stream.
 *
 * Life: ring_init(), then in turns ring_read() while there is room, ring_write() or ring_copy() by
 * each reader from its own position on, ring_drop() with the lowest of them; ring_free().
 */
#ifndef TOOLS_BPCP_RING_H
#define TOOLS_BPCP_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ring {
    char *bytes;
    size_t size;
    uint64_t start, end;    /* positions of what it holds */
    uint64_t base;          /* position that lies at bytes[0], or did some rounds ago */
};

/* 0 or -ENOMEM. Memory is taken as it is used. */
int ring_init(struct ring *ring, size_t size);

/* Makes room for `size` bytes, no less than it holds. 0, or -ENOMEM, when it is as it was. */
int ring_resize(struct ring *ring, size_t size);
void ring_free(struct ring *ring);

/* How many bytes may be added. */
size_t ring_room(const struct ring *ring);

/*
 * Reads once, at most `most` bytes, of which there has to be room for one. Their number; 0 at the
 * end; -errno.
 */
ssize_t ring_read(struct ring *ring, int fd, size_t most);

/*
 * Writes what lies between *pos and `end`, as much as the descriptor takes. 0, also when that is
 * not all, or -errno when nobody reads any more. Blocks if the descriptor does.
 */
int ring_write(const struct ring *ring, uint64_t *pos, uint64_t end, int fd);

/* Copies what lies at `pos`, at most `most` bytes. Their number, 0 if there are none yet. */
size_t ring_copy(const struct ring *ring, uint64_t pos, void *bytes, size_t most);

/* So many bytes go past the ring, which is empty. */
void ring_skip(struct ring *ring, size_t count);

/* Forgets what lies before `pos`. */
void ring_drop(struct ring *ring, uint64_t pos);

#endif
