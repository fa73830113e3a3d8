/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cluster in figures, for programs that watch it.
 */
#ifndef TOOLS_BPSTAT_METRICS_H
#define TOOLS_BPSTAT_METRICS_H

#include "tools/tool.h"

/*
 * Prints metrics in Prometheus's text format, version 0.0.4, to stdout. 0 or a negative errno.
 * Blocks until the nodes have answered.
 */
int metrics_print(const struct tool_nodes *table);

#endif
