/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Node specifications on a command line: what common/nodelang.h says, of the daemon's nodes and
 * groups.
 */
#ifndef TOOLS_NODESPEC_H
#define TOOLS_NODESPEC_H

#include <stddef.h>

#include "common/nodelang.h"
#include "common/nodeset.h"
#include "tools/tool.h"

/* As nodelang_read(), in `table` and with nodegroup_find(): blocks for the daemon for groups. */
int nodespec_add(struct nodeset *out, const char *spec, const struct tool_nodes *table,
                 char *text, size_t len);

/* Takes what `spec` denotes out of *out. As nodespec_add(). */
int nodespec_exclude(struct nodeset *out, const char *spec, const struct tool_nodes *table,
                     char *text, size_t len);

#endif
