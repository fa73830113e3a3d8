/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many bytes between machines that are near one another.
 *
 * A congestion control that paces, as BBR does, sets a timer for each segment and keeps no more on
 * its way than the path holds by its measure. Where a round trip takes microseconds, waits are for
 * processes and not for the path: pacing takes a fourth of the processor's time for each byte then,
 * and lets both machines idle. What the machine has for its sockets is meant for far peers, and
 * those keep it.
 *
 * Life: near_hope() for the socket before it connects or listens, as a socket that has begun to
 * pace goes on with it; near_settle() once the connection has been used, on either side. Neither
 * blocks or fails: without them all works, only slower.
 */
#ifndef BPROC_NEAR_H
#define BPROC_NEAR_H

/* Takes the socket for one to a near peer; what is accepted from it, too. */
void near_hope(int sock);

/* Gives back what the machine has for its sockets if the peer has turned out to be far. */
void near_settle(int sock);

#endif
