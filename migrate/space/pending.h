/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many signals may wait for a keeper. What a user sends to one is root's to the kernel, which
 * has a bound for all of a user's that wait, on the whole machine, and counts timers, too: once it
 * is met, root's timer_create(2) and sigqueue(3) fail. So keepers get half of it.
 */
#ifndef BPROC_SPACE_PENDING_H
#define BPROC_SPACE_PENDING_H

/* Once, in init: what there may be. */
void pending_init(void);

/* In a keeper; and in what it launches, which is to be as if init had. They change no memory. */
void pending_narrow(void);
void pending_widen(void);

#endif
