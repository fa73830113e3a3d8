/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients at the local socket. Each gets its credentials from the kernel when it connects; a table
 * says which messages are taken and who handles them. A client that turns out to be a ghost coming
 * back, or a process handing itself over, is passed on to ghost.c or move.c.
 */
#ifndef MASTERD_LOCAL_H
#define MASTERD_LOCAL_H

/* A freshly accepted socket; takes fd. */
void local_accept(int fd);

#endif
