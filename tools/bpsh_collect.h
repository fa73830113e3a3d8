/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What nodes have in common: their outputs, kept by the tasks of a run that is over, sorted into
 * groups of equal bytes, the largest group first. collect_make() makes them, collect_free() ends
 * them; their texts are the tasks'.
 */
#ifndef TOOLS_BPSH_COLLECT_H
#define TOOLS_BPSH_COLLECT_H

#include "common/nodeset.h"
#include "tools/bpsh_loop.h"

struct group {
    const struct output_text *text;
    struct nodeset nodes;
    int first;                  /* the lowest rank in it */
};

struct collection {
    struct group *groups;
    size_t count;
};

/* Groups stdout of all tasks that were created. 0 or -ENOMEM. */
int collect_make(struct collection *collection, const struct run *run);
void collect_free(struct collection *collection);

/* "n[0-2] (3)". malloc'd, NULL when out of memory. */
char *collect_title(const struct group *group);

/* Each output that is not empty under the names of its nodes. Blocks for the sink. 0 or -ENOMEM. */
int collect_print(const struct collection *collection, struct sink *sink);

#endif
