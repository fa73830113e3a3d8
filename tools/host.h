/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node a caller of bprsh means. */
#ifndef TOOLS_BPRSH_HOST_H
#define TOOLS_BPRSH_HOST_H

/*
 * A node's name (5, n5, .5, master, -1, self), or what the system's host tables say is the address
 * of a node, of the master or of this machine. Ends the tool with a message and status 255 if it is
 * none of them. Blocks for the daemon and the resolver.
 */
int host_find(const char *name);

#endif
