/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process that has arrived before all of its memory. Before it leaves again it must have it all:
 * lazy_note() when it arrives, lazy_complete() before anything of it is dumped.
 */
#ifndef BPROC_LAZY_H
#define BPROC_LAZY_H

/* It has arrived; `lazy`: perhaps without all. */
void lazy_note(int lazy);

/* Fetches what is missing, if anything can be. Blocks until it is there. */
void lazy_complete(void);

#endif
