/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mover's children. Each leads one transfer at a time and carries the streams of its process;
 * when these have ended it comes back with its connection, for the next transfer to the same node:
 * a fork on either side and the handshake are most of what a short command takes.
 *
 * Life: carriers_start() for each P_MOVE_START that comes to the mover. A child that is through
 * says so to the daemon: in its report, if the channel is there still, as it is after what is
 * short; the next one comes there. Otherwise with a descriptor on which that comes, and which is
 * its channel. To close it is to end the child.
 * Nothing here blocks.
 */
#ifndef BPROC_CARRIERS_H
#define BPROC_CARRIERS_H

#include "migrate/departure.h"

/* `end` is the mover's socket, which a carrier closes; the daemon is told on it. 0 or -errno. */
int carriers_init(const struct departure_setup *setup, int end);

/* Takes the message. A carrier that cannot be had shows as the end of the transfer's channel. */
void carriers_start(struct msg *msg);

#endif
