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

void local_finish(void);

#endif
