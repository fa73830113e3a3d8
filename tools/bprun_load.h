/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much the machines of the cluster have to do. */
#ifndef TOOLS_BPRUN_LOAD_H
#define TOOLS_BPRUN_LOAD_H

#include <stddef.h>

struct load {
    int node;
    int cpus;
    double running;         /* processes that want a CPU */
    int processes;          /* of BProc */
};

struct load_list {
    struct load *loads;
    size_t count;
};

/*
 * Asks the nodes and the master; one that does not answer is left out. 0 or -errno. The caller ends
 * it with load_free(). Blocks until the nodes have answered.
 */
int load_fetch(struct load_list *list);

/*
 * The machine, among those for which `usable` is true, where another process finds most of a CPU;
 * of machines that are about equal the one with fewer processes of BProc, the master last. Counts
 * the process there. NULL if there is none.
 */
struct load *load_take(struct load_list *list, const char *usable);

const struct load *load_find(const struct load_list *list, int node);
void load_free(struct load_list *list);

#endif
