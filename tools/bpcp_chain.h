/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a stream gets to many targets. What is short bpcp sends to each of them. Once there turns out
 * to be more, targets on other machines become a chain: bpcp sends to the first, and each passes on
 * to the next what it gets, so that the stream leaves each machine once. Where the chain breaks,
 * bpcp sends the rest to the next target by itself, as it keeps what any target has not had yet.
 *
 * Life: chain_init() when all targets are known, then chain_settle() in each turn.
 */
#ifndef TOOLS_BPCP_CHAIN_H
#define TOOLS_BPCP_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/bpcp_branch.h"

/* Room of the stream at first, in bytes. */
#define CHAIN_ROOM (256 << 10)

struct chain {
    struct branch *branches;        /* one for each target */
    size_t count;
    int self;                       /* node bpcp runs on */
    bool settled;                   /* it is decided how the stream goes */
};

/* Of `count` branches, which stay the caller's. */
void chain_init(struct chain *chain, struct branch *branches, size_t count, int self);

/*
 * Makes the chain if it is time, with more room in the stream, and sees to the targets behind
 * those that have ended. Call when anything has changed. Does not block.
 */
void chain_settle(struct chain *chain, struct ring *stream);

/* Position up to which every target has had the stream; `end` if there is none left. */
uint64_t chain_done(const struct chain *chain, uint64_t end);

/* A file that no target takes the rest of; 0: there is none. */
uint32_t chain_refused(const struct chain *chain);

#endif
