/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "tools/nodegroup.h"
#include "tools/nodespec.h"

static int group_spec(void *arg, const char *name, const char **spec, char *text, size_t len)
{
    int error = nodegroup_find(name, spec);

    (void)arg;
    if (error == -ENOENT) {
        snprintf(text, len, "'@%s' is no group of nodes", name);
        return -EINVAL;
    }
    if (error)
        snprintf(text, len, "'@%s': %s", name, tool_reason(-error));
    return error;
}

int nodespec_add(struct nodeset *out, const char *spec, const struct tool_nodes *table,
                 char *text, size_t len)
{
    const struct nodelang_world world = { .list = table->list, .count = table->count,
                                          .self = table->self, .group = group_spec };

    return nodelang_read(out, spec, &world, text, len);
}

int nodespec_exclude(struct nodeset *out, const char *spec, const struct tool_nodes *table,
                     char *text, size_t len)
{
    struct nodeset drop = { 0 };
    int error = nodespec_add(&drop, spec, table, text, len);

    if (!error)
        nodeset_remove(out, &drop);
    nodeset_free(&drop);
    return error;
}
