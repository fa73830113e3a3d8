/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the slaves still answer. That their machines do, the kernels find out (conn_watch());
 * this is for a slave that hangs.
 *
 * Life: a link that becomes a node's enters with heartbeat_begin(), counts as heard with each
 * message, and leaves with heartbeat_end(). One timer serves all: who has not been heard for a
 * quarter of the ping timeout gets a ping, those first that were silent for longest, and whoever
 * leaves it unanswered for the other three quarters is closed. There is a most of pings a second,
 * so that thousands of idle nodes cost no more than some hundred do: their turn comes later.
 */
#ifndef MASTERD_HEARTBEAT_H
#define MASTERD_HEARTBEAT_H

struct link;

/* 0 or -ENOMEM. */
int heartbeat_start(void);
void heartbeat_stop(void);

void heartbeat_begin(struct link *link);
void heartbeat_heard(struct link *link);

/* Whether it was asked whether it is there, and has not answered. */
int heartbeat_is_awaited(const struct link *link);

/* Nothing if it has not begun. */
void heartbeat_end(struct link *link);

#endif
