/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many processes each user has that came into being on nodes. Each has a ghost, which is a
 * process here, and a node's users make them without asking: so there is a bound. An owner lives
 * for as long as he has any.
 */
#ifndef MASTERD_OWNER_H
#define MASTERD_OWNER_H

#define OWNER_MOST 2048

struct owner;

/* One more. NULL when he has as many as he may, or there is no memory. */
struct owner *owner_take(unsigned uid);

/* One less. NULL is allowed. */
void owner_drop(struct owner *owner);

#endif
