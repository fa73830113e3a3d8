/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tokens with which the nodes of a swarm join. */
#ifndef BENCH_SWARM_TOKENS_H
#define BENCH_SWARM_TOKENS_H

#include "bench/swarm.h"

/*
 * Finds out which nodes have no keys yet and a token for each of them: from the lines that `bpctl
 * token create` has printed to `file`, or with NULL from masterd on this machine. Sets tokens and
 * ca_hash, and what is 0 of the master's address. Ends the program if it cannot. Blocks.
 */
void tokens_get(struct swarm_options *options, const char *file);

#endif
