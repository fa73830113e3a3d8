/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What slaved asks of init: launches, signals, the end of parents, another root, which numbers are
 * this node's; a P_PING, for nothing. Each is done, and answered if it is a call, before the next
 * one is read.
 */
#ifndef BPROC_SPACE_ORDERS_H
#define BPROC_SPACE_ORDERS_H

/* What every root has of the node's own files; kept. */
void orders_init(char *const *binds, unsigned count);

/*
 * Takes one. Blocks for the message, for a keeper's answer and for mounts. Does not return when
 * slaved has gone: the space ends with it.
 */
void orders_read(void);

#endif
