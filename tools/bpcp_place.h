/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where files are: `[[USER@]NODES:]PATH`. A colon counts only in front of the first slash and not
 * as the first character.
 */
#ifndef TOOLS_BPCP_PLACE_H
#define TOOLS_BPCP_PLACE_H

#include <stdbool.h>

#include "common/nodeset.h"
#include "tools/tool.h"

struct place {
    char *spec;             /* NULL: on this machine */
    char *path;             /* "." if none is given */
    struct nodeset nodes;   /* each once; at least one */
    bool many;              /* the specification could have given several */
};

/*
 * Reads `text`; `spec` (may be NULL) says the nodes if the text does not. What is wrong, like nodes
 * of which there are none, ends the tool with a message and status 1. May block for files and the
 * daemon, if groups of nodes are named.
 */
void place_read(struct place *place, const char *text, const char *spec, const char *exclude,
                const struct tool_nodes *table);

/* Is it on this machine and nowhere else? */
bool place_is_local(const struct place *place, const struct tool_nodes *table);

void place_free(struct place *place);

#endif
