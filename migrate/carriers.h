/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mover's children. Each leads one transfer at a time and carries the streams of its process;
 * when these have ended it comes back with its connection, for the next transfer to the same node:
 * a fork on either side and the handshake are most of what a short command takes.
 *
 * Life: carriers_start() for each P_MOVE_START, carriers_read() when carriers_fd() is readable,
 * carriers_wait() for poll's timeout. Only those that are free are known here, by the one
 * descriptor each has sent; to close it is to end the carrier. Nothing here blocks.
 */
#ifndef BPROC_CARRIERS_H
#define BPROC_CARRIERS_H

#include "migrate/departure.h"

/* `end` is the mover's socket, which a carrier closes. 0 or -errno. */
int carriers_init(const struct departure_setup *setup, int end);

/* Takes the message. A carrier that cannot be had shows as the end of the transfer's channel. */
void carriers_start(struct msg *msg);

int carriers_fd(void);
void carriers_read(void);

/* Ends those that have been free for long. Milliseconds until the next is due; -1: none. */
int carriers_wait(void);

#endif
