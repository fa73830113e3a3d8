/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bprun_load.h"
#include "tools/bprun_map.h"
#include "tools/nodespec.h"
#include "tools/tool.h"

/* Appends what is between the colons of `text`. */
static void list_add(struct nodeset *set, const char *text, const struct tool_nodes *table)
{
    char *copy = strdup(text), *rest = copy, *item;
    char reason[512];

    while ((item = strsep(&rest, ":")) != NULL)
        if (nodespec_add(set, item, table, reason, sizeof(reason)) < 0)
            errx(1, "'%s': %s", text, reason);
    if (!copy)
        errx(1, "'%s': %s", text, strerror(ENOMEM));
    free(copy);
}

static void map_push(struct nodeset *map, int node)
{
    int error = nodeset_push(map, node);

    if (error)
        errx(1, "cannot place %zu processes: %s", map->count, strerror(-error));
}

/* May a process be placed on `node` unasked? */
static bool node_usable(const struct options *options, const struct tool_nodes *table,
                        const struct nodeset *excluded, int node)
{
    const struct bproc_node_info_t *info = tool_nodes_find(table, node);

    if (nodeset_has(excluded, node))
        return false;
    if (node == BPROC_NODE_MASTER)
        return !options->no_local;
    return !options->all_local && info && info->status == bproc_node_up &&
           bproc_access(node, BPROC_X_OK) == 0;
}

static void loads_read(struct load_list *list)
{
    int error = load_fetch(list);

    if (error)
        errx(1, "cannot tell what the nodes have to do: %s", tool_reason(-error));
}

static void map_count(struct nodeset *map, const struct options *options,
                      const struct tool_nodes *table, const struct nodeset *excluded)
{
    struct load_list list;
    char *usable;

    loads_read(&list);
    usable = calloc(list.count + 1, 1);
    if (!usable)
        errx(1, "cannot place %zu processes: %s", options->processes, strerror(ENOMEM));
    for (size_t i = 0; i < list.count; i++)
        usable[i] = node_usable(options, table, excluded, list.loads[i].node);
    for (size_t i = 0; i < options->processes; i++) {
        const struct load *load = load_take(&list, usable);

        if (!load)
            break;
        map_push(map, load->node);
    }
    free(usable);
    load_free(&list);
}

static void cpus_push(struct nodeset *map, const struct load_list *list, int node)
{
    const struct load *load = load_find(list, node);

    if (!load)
        warnx("cannot tell the CPUs of node %d, which is left out", node);
    for (int cpu = 0; load && cpu < load->cpus; cpu++)
        map_push(map, node);
}

static void map_cpus(struct nodeset *map, const struct options *options,
                     const struct tool_nodes *table, const struct nodeset *excluded)
{
    struct load_list list;

    loads_read(&list);
    if (options->all_local)
        cpus_push(map, &list, BPROC_NODE_MASTER);
    for (int i = 0; i < table->count; i++)
        if (node_usable(options, table, excluded, table->list[i].node))
            cpus_push(map, &list, table->list[i].node);
    load_free(&list);
}

static void map_nodes(struct nodeset *map, const struct options *options,
                      const struct tool_nodes *table, const struct nodeset *excluded)
{
    for (int i = 0; i < table->count; i++)
        if (node_usable(options, table, excluded, table->list[i].node))
            map_push(map, table->list[i].node);
}

/* What was asked for by name is not looked at: whether it can be used, the node says. */
static void map_list(struct nodeset *map, const struct options *options,
                     const struct tool_nodes *table, const struct nodeset *excluded)
{
    struct nodeset master = { 0 };

    list_add(map, options->map, table);
    nodeset_remove(map, excluded);
    if (options->no_local) {
        map_push(&master, BPROC_NODE_MASTER);
        nodeset_remove(map, &master);
    }
    nodeset_free(&master);
}

void map_make(struct nodeset *map, const struct options *options)
{
    static void (*const makers[])(struct nodeset *, const struct options *,
                                  const struct tool_nodes *, const struct nodeset *) = {
        [AMOUNT_COUNT] = map_count, [AMOUNT_CPUS] = map_cpus, [AMOUNT_NODES] = map_nodes,
        [AMOUNT_MAP] = map_list
    };
    struct nodeset excluded = { 0 };
    struct tool_nodes table;

    tool_nodes_load(&table);
    if (options->exclude)
        list_add(&excluded, options->exclude, &table);
    makers[options->amount](map, options, &table, &excluded);
    if (map->count == 0)
        errx(1, "there is no node to run on");
    nodeset_free(&excluded);
    tool_nodes_free(&table);
}

void map_print(const struct nodeset *map)
{
    for (size_t i = 0; i < map->count; i++)
        printf("%s%d", i > 0 ? ":" : "", map->nodes[i]);
    putchar('\n');
    tool_flush(1);
}
