/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes by name, in the forms that other programs read: launchers, the resolver, ClusterShell. All
 * print to stdout.
 */
#ifndef TOOLS_BPSTAT_NAMES_H
#define TOOLS_BPSTAT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/nodeset.h"
#include "tools/tool.h"

/*
 * "n0 slots=8", or "n0:8" for Hydra; without the number for a node that has not told how many CPUs
 * it has. Blocks until the nodes have answered. 0 or a negative errno.
 */
int names_hostfile(const struct nodeset *set, bool hydra);

/* "10.0.4.100<tab>n0" for nodes with an address; the master's as "master n-1". 0 or -errno. */
int names_hosts(const struct nodeset *set, const struct tool_nodes *table);

/* "n[0-3,7]". 0 or -ENOMEM. */
int names_nodeset(const struct nodeset *set);

/*
 * Groups of the configuration, then states, that have every node of the set; with an empty set, all
 * groups and the states that any node is in. One on a line. 0 or -errno.
 */
int names_groups(const struct nodeset *set, const struct tool_nodes *table);

#endif
