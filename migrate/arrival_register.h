/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What arrives is made known to slaved, and slaved says what the master has announced. Part of
 * arrival.h. All blocking; 0 or -errno with a reason in arrival->text.
 */
#ifndef BPROC_ARRIVAL_REGISTER_H
#define BPROC_ARRIVAL_REGISTER_H

#include "migrate/arrival_launch.h"

/* Puts the reason there. Returns `error`. */
__attribute__((format(printf, 3, 4)))
int arrival_fail(struct arrival *arrival, int error, const char *fmt, ...);

/* A socket of our own to slaved; its end undoes the launch. */
int arrival_register(struct arrival *arrival);

/* Shows the ticket of one that a node sends: who it is is what the master has said. */
int arrival_ticket(struct arrival *arrival);

/* Children of it for which it may make ghosts. */
int arrival_children(struct arrival *arrival);

/*
 * What another child of the receiver has given for that word, perhaps not yet: a descriptor, or
 * -errno. Waits for ten seconds at most.
 */
int arrival_share_take(struct arrival *arrival, const share_arg *arg);

#endif
