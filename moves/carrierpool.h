/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mover's children that have nothing to do: each has carried a process's streams to their end
 * and still has its connection to that node. A transfer to the same place takes one of them,
 * without the mover, a fork and a handshake, which are most of what a short command takes.
 *
 * Life: each mover hands over a socket when it starts (carrierpool_open()). A child that is free
 * sends the place and a descriptor on it, on which it waits for a P_MOVE_START and which is that
 * transfer's channel. To close it is to end the child, which happens after a minute, or when its
 * mover has gone, who had the way to CRIU.
 */
#ifndef MOVES_CARRIERPOOL_H
#define MOVES_CARRIERPOOL_H

#include <event2/event.h>

#include "proto/frame.h"

/* Once, before the first mover. 0 or -ENOMEM. */
int carrierpool_init(struct event_base *base);

/* Takes `fd`, on which children of a mover say that they are free. 0; -ENOMEM: it is closed. */
int carrierpool_open(int fd);

/* Takes a child that is free: its descriptor, or -ENOENT when there is none for that place. */
int carrierpool_take(const node_place *to);

/* Ends all that are free, and those of that mover that come to be so. */
void carrierpool_mover_gone(void);

/* Ends all that are free. */
void carrierpool_stop(void);

#endif
