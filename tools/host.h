/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node that a name or an address means. */
#ifndef TOOLS_HOST_H
#define TOOLS_HOST_H

/*
 * A node's name (5, n5, .5, n-1, master, -1, self), or what the system's host tables say is the
 * address of a node, of the master or of this machine. BPROC_NODE_NONE if it is none of them, with
 * errno 0, or when the daemon does not tell, with its errno. Blocks for the daemon and the
 * resolver.
 */
int host_find(const char *name);

#endif
