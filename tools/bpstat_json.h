/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What bpstat knows, as an object for programs. All print to stdout. */
#ifndef TOOLS_BPSTAT_JSON_H
#define TOOLS_BPSTAT_JSON_H

#include <stddef.h>

#include "common/nodeset.h"
#include "tools/tool.h"

/* Nodes, in the order given. Blocks for the name service. */
void nodes_json(const struct bproc_node_info_t *infos, size_t count);

/* Remote processes, those on the nodes of the set unless it is NULL. 0 or a negative errno. */
int procs_json(const struct nodeset *set);

#endif
