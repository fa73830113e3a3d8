/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mover server: a small program that forks a child for each transfer for which none is free
 * (carrierpool.h), so that neither CRIU nor bulk data comes near the daemon's loop. It is started
 * with the daemon and again when it dies; transfers under way are its children's and go on.
 */
#ifndef MOVES_MOVER_H
#define MOVES_MOVER_H

#include <event2/event.h>

#include "proto/frame.h"

struct mover_settings {
    const char *tls_dir;
    const char *run_dir;
    const char *criu;           /* the program; any name when there is none */
    const char *criu_missing;   /* why there is none; NULL: there is */
};

/* The settings are kept, not copied. 0, or -errno with a reason in text[len]. */
int mover_start(struct event_base *base, const struct mover_settings *settings, char *text,
                size_t len);
void mover_stop(void);

/*
 * Asks for a transfer by a new child; `fds` stay the caller's, the last is the child's end of the
 * channel. 0, or -errno; success says nothing yet: the channel does, be it by closing.
 */
int mover_ask(const move_start_arg *arg, const int *fds, unsigned nfds);

/* Why no process can be forked from here: what is wrong with CRIU. NULL: nothing is. */
const char *mover_criu_missing(void);

#endif
