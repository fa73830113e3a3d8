/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a sample is to be shown, and in which order: filters and sorting.
 */
#ifndef TOOLS_BPTOP_VIEW_H
#define TOOLS_BPTOP_VIEW_H

#include "tools/bptop_sample.h"

enum view_sort { SORT_CPU, SORT_MEMORY, SORT_TIME, SORT_PID, SORT_NODE, SORT_USER, SORT_COMMAND,
                 SORT_FIELDS };

struct view {
    enum view_sort sort;
    bool reverse;
    bool no_nodes;              /* the processes alone */
    char nodes[128];            /* node specification, "" all */
    char user[SAMPLE_USER_MAX]; /* name or number, "" all */
};

/* What view_make() chose; pointers into the sample. Ended by view_free(). */
struct picture {
    const struct top_node **nodes;
    size_t node_count;
    const struct top_proc **procs;
    size_t proc_count;
};

/* The field of that name, -1 if it is none. */
int view_sort_find(const char *name);
const char *view_sort_name(enum view_sort sort);

/*
 * Whether there is such a user, by name, or a number. 0; -ENOENT with a reason in text[len]. Blocks
 * for the users' database.
 */
int view_user_check(const char *user, char *text, size_t len);

/*
 * Chooses and sorts. 0; a negative errno with a reason in text[len] when the nodes make no sense,
 * *picture is then empty. Blocks for the daemon when nodes are named by group.
 */
int view_make(struct picture *picture, const struct view *view, const struct sample *sample,
              char *text, size_t len);

void view_free(struct picture *picture);

#endif
