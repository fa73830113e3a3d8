/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Process numbers of the cluster. Those below PIDS_OWN_END are given out by the master's kernel;
 * above it each node has a block of its own, and so has the home slave, so that a number that was
 * given out on a node means nobody elsewhere.
 *
 * pids_start() raises kernel.pid_max of our pid namespace if that is lower. From then on a timer
 * keeps the master's own numbers below their end. Where the kernel does not let us, there are no
 * blocks, and nodes give out numbers as they like.
 */
#ifndef MASTERD_PIDS_H
#define MASTERD_PIDS_H

#include "proto/bproc.h"

#define PIDS_END (4 << 20)          /* the kernel's own limit */
#define PIDS_OWN_END (1 << 20)

/* Once, with the loop made. 0 or -ENOMEM. */
int pids_start(void);
void pids_stop(void);

/* The block of a node, -1 the home slave's, in a cluster of `nodes`; count 0 when there is none. */
numbers_msg pids_block(int node, int nodes);

#endif
