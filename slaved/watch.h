/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local clients that wait for changes on the master. The first one makes this node ask for them;
 * each is told of every change until it goes. Nothing here blocks.
 */
#ifndef BPROC_SLAVED_WATCH_H
#define BPROC_SLAVED_WATCH_H

#include "common/conn.h"

/* Answers P_NOTIFY of a client; watch_drop() when that goes, which may be none of these. */
void watch_take(struct conn *conn, const struct frame_header *header);
void watch_drop(const struct conn *conn);

/* Something changed on the master. */
void watch_changed(void);

/* The link is up: those who wait have missed some. */
void watch_link_up(void);

#endif
