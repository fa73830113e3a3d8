/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a process that runs before all of it is there comes on a connection of its own, to
 * another child of the receiver than the one that restores the process and carries its streams.
 *
 * Life: the latter says to slaved by which word it can be found, arrival_fill_offer(); the former,
 * arrival_fill(), hears that word from the sender and gets a socket to it. When the process waits
 * at its gate, arrival_fill_ask() hands over the way into its memory, and returns when it may run.
 * From there on the two have nothing to do with each other. All blocking.
 */
#ifndef BPROC_ARRIVAL_LAZY_H
#define BPROC_ARRIVAL_LAZY_H

#include "migrate/arrival_launch.h"
#include "migrate/memorygate.h"

/* 0 or -errno, with a reason in arrival->text. */
int arrival_fill_offer(struct arrival *arrival);
int arrival_fill_ask(struct arrival *arrival, const struct memorygate *memory);

/* What the child does that has been sent P_BULK_FILL, to its end. */
void arrival_fill(struct arrival *arrival, const struct bulk_msg *msg);

#endif
