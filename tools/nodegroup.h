/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The groups of nodes of the master's configuration, `nodegroup @NAME NODES`. They are fetched
 * from the daemon at the first use and kept until the tool ends: one that lives long sees the
 * groups as they were then.
 */
#ifndef TOOLS_NODEGROUP_H
#define TOOLS_NODEGROUP_H

#include <stddef.h>

struct nodegroup {
    const char *name;       /* without the @ */
    const char *spec;       /* as nodelang_read() takes it */
};

/*
 * All groups in the order of the file: *list, borrowed, *count of them. 0, or -errno as
 * bproc_nodelist(). Blocks for the daemon.
 */
int nodegroup_list(const struct nodegroup **list, size_t *count);

/* 0 with *spec, borrowed; -ENOENT when there is no such group, -errno. Blocks for the daemon. */
int nodegroup_find(const char *name, const char **spec);

#endif
