/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The children of a vrfork that leave the master. They are one process but for their numbers, so
 * one of them is dumped and the others have its image.
 *
 * Life of a batch: for each node the daemon is asked; the others are forked, quietly, and wait each
 * at a gate to become a ghost; the first one is forked last and hands all of them over; the daemon
 * answers for each. Those for whom it says so are tried again, in another batch.
 */
#ifndef BPROC_VECTORFORK_H
#define BPROC_VECTORFORK_H

#include "libbproc/flight.h"

/*
 * One child for each rank; `plan` is how one of them flies, but for its node. pids[rank] becomes
 * the child's pid or -errno. The rank in a child, `count` in the caller. Blocks until all run or
 * have failed.
 */
int vectorfork_run(int count, const int *nodes, int *pids, const struct flight_plan *plan);

#endif
