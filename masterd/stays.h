/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has processes on which node that were sent there, or had some a moment ago. What such a
 * process leaves behind when it ends, a daemon as a rule, is found by the node only later, and
 * then nothing but this tells that it can be that user's.
 */
#ifndef MASTERD_STAYS_H
#define MASTERD_STAYS_H

#include <sys/types.h>

struct rights;
struct stay;

/* A process with these rights is there, until stay_leave(). NULL when there is no memory. */
struct stay *stay_enter(int node, struct rights *rights);

/* Takes NULL. */
void stay_leave(struct stay *stay);

/* Rights of the user there, or else of root; borrowed; NULL when neither has any. */
struct rights *stay_rights(int node, uid_t uid);

#endif
