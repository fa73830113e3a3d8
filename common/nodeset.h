/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of nodes: in the order they were named, duplicates kept. It starts zeroed, grows by
 * nodeset_push() and nodelang_read(), and ends with nodeset_free().
 */
#ifndef BPROC_NODESET_H
#define BPROC_NODESET_H

#include <stdbool.h>
#include <stddef.h>

#define NODESET_MAX 65536

struct nodeset {
    int *nodes;
    size_t count;
    size_t room;
};

/* Appends. 0, -E2BIG beyond NODESET_MAX nodes, -ENOMEM. */
int nodeset_push(struct nodeset *set, int node);

bool nodeset_has(const struct nodeset *set, int node);

/* Takes every node that is in `others` out of `set`, as often as it is there. */
void nodeset_remove(struct nodeset *set, const struct nodeset *others);

/* Leaves in `set` what is in `others` as well. */
void nodeset_intersect(struct nodeset *set, const struct nodeset *others);

/* Leaves in `set` what was in one of the two, and in `others` what was in them alone. As push. */
int nodeset_differ(struct nodeset *set, struct nodeset *others);

/*
 * The set in short, sorted, each node once: "n[0-3,7]", "n5", "master,n0", "" when it is empty.
 * nodelang_read() reads it back. malloc'd, NULL when out of memory.
 */
char *nodeset_fold(const struct nodeset *set);

void nodeset_free(struct nodeset *set);

#endif
