/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mover's ready CRIU (criuready.h), from which its carriers have their workers.
 *
 * Life: criuserver_init() makes the socket for orders; the server is started when there is an order
 * in it and nobody to read that, and goes when it has had none for a while. So whoever orders need
 * not know whether there is one, and one that was killed is replaced. criuserver_read() when
 * criuserver_fd() is readable. Nothing here blocks.
 */
#ifndef BPROC_CRIUSERVER_H
#define BPROC_CRIUSERVER_H

/* 0 or -errno. */
int criuserver_init(const char *criu);

/* Where carriers send their orders (criuworker_order()). */
int criuserver_orders(void);

int criuserver_fd(void);
void criuserver_read(void);

/* In a carrier: the reading end is not for it, lest an order outlive all who would read it. */
void criuserver_leave(void);

#endif
