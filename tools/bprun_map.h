/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the processes of a job go: a list of nodes, in the order of their ranks. */
#ifndef TOOLS_BPRUN_MAP_H
#define TOOLS_BPRUN_MAP_H

#include "common/nodeset.h"
#include "tools/bprun_options.h"

/*
 * Fills *map, which starts zeroed and ends with nodeset_free(). If there is no place, the tool ends
 * with a message and status 1. Blocks until the nodes have told their load, if it matters.
 */
void map_make(struct nodeset *map, const struct options *options);

/* "-1:4:5" to stdout. */
void map_print(const struct nodeset *map);

#endif
