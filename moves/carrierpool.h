/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mover's children that have nothing to do: each has carried a process's streams to their end
 * and still has its connection to that node. A transfer to the same place takes one of them,
 * without the mover, a fork and a handshake, which are most of what a short command takes.
 *
 * Life: a child that is free waits for a P_MOVE_START at the channel of its last transfer, if that
 * is there still (carrierpool_put()), or sends the place and a descriptor on a socket which its
 * mover has handed over when it started (carrierpool_open()); that is the next transfer's channel.
 * To close it is to end the child, which happens after a minute, or when its mover has gone, who
 * had the way to CRIU.
 */
#ifndef MOVES_CARRIERPOOL_H
#define MOVES_CARRIERPOOL_H

#include <stdint.h>
#include <event2/event.h>

#include "common/conn.h"

/* Once, before the first mover. 0 or -ENOMEM. */
int carrierpool_init(struct event_base *base);

/* Takes `fd`, on which children of a mover say that they are free. 0; -ENOMEM: it is closed. */
int carrierpool_open(int fd);

/* The number of the mover that there is, for those of its children that come to be free. */
uintptr_t carrierpool_mover(void);

/* Takes the channel over: a child of that mover's waits there, with a connection to that place. */
void carrierpool_put(const node_place *to, uintptr_t mover, struct conn *channel);

/* Takes a child that is free: its channel, for the caller's own ops; NULL: none for that place. */
struct conn *carrierpool_take(const node_place *to);

/* Ends all that are free, and those of that mover that come to be so. */
void carrierpool_mover_gone(void);

/* Ends all that are free. */
void carrierpool_stop(void);

#endif
