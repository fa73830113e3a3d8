/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doing something to nodes. Every node is tried; what fails is told as "NODE: reason", in the order
 * of the nodes. What takes a node its time is done on many at once.
 */
#ifndef TOOLS_BPCTL_ACT_H
#define TOOLS_BPCTL_ACT_H

#include <stdbool.h>

#include "tools/nodespec.h"

struct act {
    int (*call)(int node, const void *arg);     /* 0, or -1 with errno */
    const void *arg;
    bool together;
    const char *of_master;      /* why the master cannot be asked for that; NULL: it can */
};

/* How many nodes it failed on. Blocks until all is done. */
int act_on(const struct nodeset *chosen, const struct tool_nodes *table, const struct act *act);

#endif
