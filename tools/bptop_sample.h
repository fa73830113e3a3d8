/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What bptop knows at one moment: nodes, their processes, and the shares of CPU since the moment
 * before, or since their start when there is none. A sample is taken, shown, kept as the one before
 * until the next is there, and freed.
 */
#ifndef TOOLS_BPTOP_SAMPLE_H
#define TOOLS_BPTOP_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "tools/tool.h"

#define SAMPLE_USER_MAX 33

struct top_node {
    int node;
    int state;
    const struct bproc_usage_t *usage;      /* NULL: it has told nothing */
    double cpu;                             /* percent of all its CPUs */
    double memory;                          /* percent in use */
};

struct top_proc {
    int node;
    const struct bproc_proc_usage_t *usage;
    double cpu;                             /* percent of one CPU */
    double memory;                          /* percent of its node's */
    char user[SAMPLE_USER_MAX];
};

struct sample {
    time_t when;
    struct top_node *nodes;                 /* by number, the master first */
    size_t node_count;
    struct top_proc *procs;                 /* by node and pid */
    size_t proc_count;
    struct bproc_usage_t *usage;
    struct tool_nodes table;
};

/*
 * Takes a sample; `before` may be NULL. 0 or a negative errno, then *sample is empty. Blocks until
 * the nodes have answered.
 */
int sample_take(struct sample *sample, const struct sample *before);

/* That process, NULL if there is none. */
const struct top_proc *sample_find(const struct sample *sample, int node, int pid);

void sample_free(struct sample *sample);

#endif
