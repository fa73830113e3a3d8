/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One target as bpcp sees it: gets the stream in parts between orders, or from the target before
 * it, and says how far it is.
 *
 * Life: branch_init() beside its task, then branch_write() while branch_wants() and the task's
 * input takes more, branch_read() when its output has something. What becomes of them together is
 * bpcp_chain.h.
 */
#ifndef TOOLS_BPCP_BRANCH_H
#define TOOLS_BPCP_BRANCH_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/bpcp_ring.h"
#include "tools/bpcp_word.h"
#include "tools/bpsh_task.h"

struct branch {
    struct task *task;      /* its input_pos is how far bpcp has sent the stream */
    struct word_reader reader;
    char name[COPY_NAME_LEN];       /* where it listens; empty: it is not ready */
    struct branch *before, *next;   /* whom it gets the stream from, whom it passes it on to */
    bool chained;           /* gets it from there now */
    bool lost;              /* could not pass it on */
    bool left;              /* was told to take no more from there */
    uint64_t got;           /* what it says to have had, while chained */
    uint32_t refused;       /* the last file it has no use for */

    bool order_chain, order_unchain;        /* are to be sent */
    uint64_t chain_at;      /* position from which on others pass the stream on */
    uint8_t word[COPY_WORD_LEN];
    size_t word_left;       /* bytes of `word` to be sent */
    uint64_t part_end;      /* of what was announced of the stream */
};

void branch_init(struct branch *branch, struct task *task);

/* Does it still take anything? */
bool branch_lives(const struct branch *branch);

/* From position `at` on `before` passes the stream on to `branch`. Each is in one chain at most. */
void branch_join(struct branch *before, struct branch *branch, uint64_t at);

/* If the one before it has ended, or cannot pass the stream on, bpcp is to send the rest. */
void branch_follow(struct branch *branch);

/* How much of the stream it has had, as far as is known. */
uint64_t branch_pos(const struct branch *branch);

/* Is there anything to be sent to it? */
bool branch_wants(const struct branch *branch, const struct ring *stream);

/*
 * Sends what its input takes of orders and stream. Closes the input when nobody reads it. Does not
 * block.
 */
void branch_write(struct branch *branch, const struct ring *stream);

/*
 * Takes what it has to say, until there is no more for now. Closes its output at its end, and its
 * input as well when it says what cannot be. Does not block.
 */
void branch_read(struct branch *branch, const struct ring *stream);

#endif
