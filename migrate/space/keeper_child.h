/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other half of keeper.h: what runs in the keeper's own process, but beside others, in a room
 * (room.h). Init forks the first one of a session, which gets a copy of init's memory; that one
 * makes the others there, of which each costs a clone, and no more at its end.
 */
#ifndef BPROC_SPACE_KEEPER_CHILD_H
#define BPROC_SPACE_KEEPER_CHILD_H

#include "migrate/space/room.h"

/* What a keeper finds in its room. Descriptors are those of who forks it. */
struct keeper_birth {
    int channel;
    int signals;                /* a signalfd(2) for all signals: who reads it reads his own */
    bool lead;                  /* in a session of its own */
};

/* Once, in init: the signalfd; -errno. */
int keeper_child_init(void);

/* Serves its channel until it is told to leave or init has gone. */
void keeper_child_run(struct room *room) __attribute__((noreturn));

#endif
