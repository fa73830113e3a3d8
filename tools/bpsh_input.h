/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpsh's stdin on its way to every node: one buffer, a read position per node. What all nodes
 * have had is dropped; the slowest one holds up the others unless the buffer may grow. Where a
 * single node is left to read, the buffer is left out: the kernel moves pages from stdin to its
 * pipe.
 *
 * Life: input_init(), then in turns input_read() when there is room and input_write() for each
 * node that takes more, input_drop() with the lowest position, or input_pass() while
 * input_passes(); input_free().
 */
#ifndef TOOLS_BPSH_INPUT_H
#define TOOLS_BPSH_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input {
    char *bytes;
    size_t room;
    size_t used;
    uint64_t start;         /* position of bytes[0] in the stream */
    bool grows;
    bool eof;
    bool copies;            /* the kernel cannot move what comes in */
    bool full;              /* the pipe it was to be moved to */
    bool grown;             /* the pipes it comes from and goes to */
};

/*
 * For what comes from `fd`. `grows`: nodes may be far apart; everything the slowest still needs is
 * kept. 0 or -ENOMEM.
 */
int input_init(struct input *input, int fd, bool grows);
void input_free(struct input *input);

/* Is there room for more from stdin, and more to come? */
bool input_wants(const struct input *input);

/* Reads once from `fd` and notes the end. A read error counts as the end, -errno says which. */
int input_read(struct input *input, int fd);

/* Has a node at `pos` had all there is so far? */
bool input_done(const struct input *input, uint64_t pos);

/*
 * Writes to a node's non-blocking pipe from *pos on, as much as it takes. 0, or -errno when the
 * node reads no more.
 */
int input_write(const struct input *input, uint64_t *pos, int fd);

/* May the only node that reads, which is at `pos`, have what comes next without the buffer? */
bool input_passes(const struct input *input, uint64_t pos);

/*
 * Moves what `from` holds to that node's non-blocking pipe, as much as it takes; notes the end, and
 * in `full` that there is no room: the caller waits for it and clears that. 0, or -errno when
 * the node reads no more.
 */
int input_pass(struct input *input, uint64_t *pos, int from, int to);

/* Forgets what lies before `pos`. */
void input_drop(struct input *input, uint64_t pos);

#endif
