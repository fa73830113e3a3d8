/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The doors: the local socket, and TCP on the port of the configuration on each of its interfaces
 * (all addresses without any). Accepted sockets go to local.c and link.c. When the system has no
 * descriptor left a door is shut for a second instead of spinning.
 */
#ifndef MASTERD_LISTEN_H
#define MASTERD_LISTEN_H

#include <stddef.h>
#include <stdint.h>

/* Opens all. 0, or -errno with a reason in text[len]. */
int listen_start(char *text, size_t len);

/* After a reload: TCP alone, when the port or the interfaces changed. As listen_start(). */
int listen_reload(char *text, size_t len);

void listen_stop(void);

/* While held, whoever connects by TCP waits in the kernel's queue. */
void listen_hold(int held);

/* The address nodes are told to come to, host byte order; 127.0.0.1 when there is no other. */
uint32_t listen_address(void);

#endif
