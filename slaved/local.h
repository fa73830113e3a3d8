/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local socket of a node, for its users' programs. What slaved knows it answers itself, what
 * only the master knows it passes on in the caller's name, and a caller whom the master cannot
 * serve from here is told so.
 */
#ifndef BPROC_SLAVED_LOCAL_H
#define BPROC_SLAVED_LOCAL_H

#include <event2/event.h>

#include "proto/frame.h"

/*
 * Listens at `path`; a socket that another slaved left is replaced. 0, -EADDRINUSE when somebody
 * answers there, another -errno.
 */
int local_init(struct event_base *base, const char *path, int node);

/* The master's answer to a call that was passed on. */
void local_passed(const struct frame_header *header, const uint8_t *body);

/* The link has gone: nothing that was passed on will be answered. */
void local_link_down(void);

/* The link is up: clients that wait for changes have missed some. */
void local_link_up(void);

/* Something changed on the master. */
void local_changed(void);

void local_finish(void);

#endif
