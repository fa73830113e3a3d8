/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/bpstat_names.h"
#include "tools/nodegroup.h"
#include "tools/nodespec.h"

static int cpus_of(const struct bproc_usage_t *usage, int count, int node)
{
    for (int i = 0; i < count; i++)
        if (usage[i].node == node)
            return usage[i].cpus;
    return 0;
}

int names_hostfile(const struct nodeset *set, bool hydra)
{
    struct bproc_usage_t *usage;
    int count = bproc_usage(BPROC_NODE_ANY, &usage);

    if (count < 0)
        return -errno;
    for (size_t i = 0; i < set->count; i++) {
        int cpus = cpus_of(usage, count, set->nodes[i]);

        if (set->nodes[i] == BPROC_NODE_MASTER)
            fputs("master", stdout);
        else
            printf("n%d", set->nodes[i]);
        if (cpus > 0)
            printf(hydra ? ":%d" : " slots=%d", cpus);
        putchar('\n');
    }
    free(usage);
    return 0;
}

static void host_print(uint32_t address, int node)
{
    struct in_addr in = { .s_addr = address };
    char text[INET_ADDRSTRLEN];

    if (!address || !inet_ntop(AF_INET, &in, text, sizeof(text)))
        return;
    if (node == BPROC_NODE_MASTER)
        printf("%s\tmaster n-1\n", text);
    else
        printf("%s\tn%d\n", text, node);
}

int names_hosts(const struct nodeset *set, const struct tool_nodes *table)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct bproc_node_info_t *info = tool_nodes_find(table, set->nodes[i]);
        struct sockaddr_in master = { 0 };
        int size = sizeof(master);

        if (info)
            host_print(info->addr, info->node);
        else if (bproc_masteraddr((struct sockaddr *)&master, &size) < 0)
            return -errno;
        else
            host_print(master.sin_addr.s_addr, BPROC_NODE_MASTER);
    }
    return 0;
}

int names_nodeset(const struct nodeset *set)
{
    char *text = nodeset_fold(set);

    if (!text)
        return -ENOMEM;
    puts(text);
    free(text);
    return 0;
}

/* Without nodes: whether the group has any at all. */
static bool has_all(const struct nodeset *group, const struct nodeset *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (!nodeset_has(group, set->nodes[i]))
            return false;
    return group->count > 0;
}

static bool spec_has(const char *spec, const struct nodeset *set, const struct tool_nodes *table)
{
    struct nodeset group = { 0 };
    char text[256];
    bool has = nodespec_add(&group, spec, table, text, sizeof(text)) == 0 && has_all(&group, set);

    nodeset_free(&group);
    return has;
}

int names_groups(const struct nodeset *set, const struct tool_nodes *table)
{
    const struct nodegroup *groups;
    size_t count;
    int error = nodegroup_list(&groups, &count);

    if (error)
        return error;
    for (size_t i = 0; i < count; i++)
        if (set->count == 0 || spec_has(groups[i].spec, set, table))
            puts(groups[i].name);
    for (int state = 0; state < BPROC_NODE_NSTATES; state++)
        if (spec_has(nodelang_state_name(state), set, table))
            puts(nodelang_state_name(state));
    return 0;
}
