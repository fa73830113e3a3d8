/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long we may go on without the master. It gives up our processes when it has not heard of us
 * for the ping timeout; so must we, or else a process would run here that nobody knows of. What
 * counts is its machine, of which the kernel knows also while no message comes (link_silence()). A
 * masterd that hangs, or is being restarted, so that its machine refuses connections, gets much
 * longer, as its new instance takes the processes up again.
 */
#ifndef BPROC_SLAVED_CONTACT_H
#define BPROC_SLAVED_CONTACT_H

#include <stdint.h>
#include <event2/event.h>

/* `on_lost` comes once for each loss, with the reason in words. 0 or -ENOMEM. */
int contact_init(struct event_base *base, int ping_timeout, int orphan_timeout,
                 void (*on_lost)(const char *words));

/* The master's own value, from its answer to the HELLO. */
void contact_set_timeout(int ping_timeout);

void contact_heard(void);       /* a message came over the link */
void contact_refused(void);     /* its machine refused a connection, or it refused this node */

/* Milliseconds since a message came. */
int64_t contact_since(void);

void contact_finish(void);

#endif
