/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections of a server that have not said who they are yet, each in the hands of a forked
 * child. Anybody can make one, so their number is bounded: when it is reached, one that has had a
 * moment is ended for each that comes.
 *
 * Life: guests_enter() after accept(), around the fork: the child calls guests_leave() in its first
 * lines and closes the descriptor it was given when it knows its peer, or ends. guests_fill() and
 * guests_read() watch for that in the server's poll. Nothing here blocks.
 */
#ifndef BPROC_GUESTS_H
#define BPROC_GUESTS_H

#include <poll.h>

#define GUESTS_MAX 256

/*
 * A guest at `sock`, of which a duplicate is kept. The descriptor to close in the server and to
 * hand to the child, or -errno: there is no room for a guest.
 */
int guests_enter(int sock);

/* In the child: closes all that is the server's. */
void guests_leave(void);

/* Fills fds[GUESTS_MAX]; how many there are. */
unsigned guests_fill(struct pollfd *fds);

/* After poll(): forgets guests that have made themselves known or ended. */
void guests_read(const struct pollfd *fds, unsigned count);

/* Milliseconds until there is room for another guest, 0 when there is; ends one for that. */
int guests_wait(void);

#endif
