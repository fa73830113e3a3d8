/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One process of the swarm: its nodes on one loop, orders from a pipe. */
#ifndef BENCH_SWARM_WORKER_H
#define BENCH_SWARM_WORKER_H

#include "bench/swarm.h"

/*
 * Prepares `count` nodes from number `first` on, says so in *tally, then does what comes from
 * `orders` until its end, and exits.
 */
_Noreturn void worker_run(const struct swarm_options *options, int first, int count, int orders,
                          struct swarm_tally *tally);

#endif
