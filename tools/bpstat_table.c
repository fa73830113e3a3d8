/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bpstat_table.h"
#include "tools/idname.h"
#include "tools/nodespec.h"
#include "tools/tool.h"

#define NODES_WIDTH 11
#define STATUS_WIDTH 12
#define REST_WIDTH 46           /* what the compact form has behind the nodes, with the gap */
#define RANGE_LONGEST 24        /* "2147483647-2147483647," */

struct names {
    char mode[11];
    char user[33];
    char group[33];
    char addr[INET_ADDRSTRLEN];
};

static void names_fill(struct names *names, const struct bproc_node_info_t *info)
{
    const char *user = idname_user(info->uid), *group = idname_group(info->gid);
    struct in_addr addr = { .s_addr = info->addr };

    snprintf(names->mode, sizeof(names->mode), "---%c--%c--%c", info->mode & 0100 ? 'x' : '-',
             info->mode & 0010 ? 'x' : '-', info->mode & 0001 ? 'x' : '-');
    if (user)
        snprintf(names->user, sizeof(names->user), "%s", user);
    else
        snprintf(names->user, sizeof(names->user), "#%u", info->uid);
    if (group)
        snprintf(names->group, sizeof(names->group), "%s", group);
    else
        snprintf(names->group, sizeof(names->group), "#%u", info->gid);
    if (!info->addr || !inet_ntop(AF_INET, &addr, names->addr, sizeof(names->addr)))
        snprintf(names->addr, sizeof(names->addr), "-");
}

/* The state, padded, in the colour that goes with it. */
static void state_print(int state, int width)
{
    const char *color = state == bproc_node_up ? TOOL_GREEN :
                        state == bproc_node_down || state == bproc_node_error ? TOOL_RED :
                        TOOL_YELLOW;

    printf("%s%-*s%s", tool_color(STDOUT_FILENO, color), width, nodelang_state_name(state),
           tool_color(STDOUT_FILENO, TOOL_PLAIN));
}

static int number_compare(const void *a, const void *b)
{
    const struct bproc_node_info_t *left = a, *right = b;

    return (left->node > right->node) - (left->node < right->node);
}

static int status_compare(const void *a, const void *b)
{
    const struct bproc_node_info_t *left = a, *right = b;

    if (left->status != right->status)
        return left->status < right->status ? -1 : 1;
    return number_compare(a, b);
}

/* States the other way round; the nodes of one line stay in order. */
static int status_compare_back(const void *a, const void *b)
{
    const struct bproc_node_info_t *left = a, *right = b;

    if (left->status != right->status)
        return left->status > right->status ? -1 : 1;
    return number_compare(a, b);
}

void table_sort(struct bproc_node_info_t *nodes, size_t count, enum table_form form,
                enum table_order order, int reverse)
{
    if (order == ORDER_DEFAULT)
        order = form == FORM_COMPACT ? ORDER_STATUS : ORDER_NUMBER;
    if (form == FORM_COMPACT && order == ORDER_STATUS && reverse) {
        qsort(nodes, count, sizeof(*nodes), status_compare_back);
        return;
    }
    if (order != ORDER_KEEP && count > 1)
        qsort(nodes, count, sizeof(*nodes),
              order == ORDER_STATUS ? status_compare : number_compare);
    for (size_t i = 0; reverse && i < count / 2; i++) {
        struct bproc_node_info_t swap = nodes[i];

        nodes[i] = nodes[count - 1 - i];
        nodes[count - 1 - i] = swap;
    }
}

static int alike(const struct bproc_node_info_t *a, const struct bproc_node_info_t *b)
{
    return a->status == b->status && a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
}

/*
 * Takes the nodes like nodes[first] that are not yet `done` and writes them to text[] as ranges,
 * separated by commas.
 */
static void group_format(const struct bproc_node_info_t *nodes, size_t count, size_t first,
                         char *done, char *text)
{
    size_t i = first;
    const char *comma = "";

    while (i < count) {
        int low = nodes[i].node, high = low;

        done[i] = 1;
        for (i++; i < count && alike(&nodes[first], &nodes[i]) && nodes[i].node == high + 1; i++) {
            high++;
            done[i] = 1;
        }
        text += sprintf(text, high > low ? "%s%d-%d" : "%s%d", comma, low, high);
        comma = ",";
        while (i < count && (done[i] || !alike(&nodes[first], &nodes[i])))
            i++;
    }
}

/* How many bytes of `text` go on a line of `width`: whole items, but at least one. */
static size_t line_split(const char *text, size_t width)
{
    size_t best = 0, len = strlen(text);

    if (len <= width)
        return len;
    for (size_t i = 0; i < len; i++)
        if (text[i] == ',' && (i + 1 <= width || best == 0))
            best = i + 1;
    return best ? best : len;
}

static void group_print(const struct bproc_node_info_t *info, const char *text, int width)
{
    struct names names;

    names_fill(&names, info);
    do {
        size_t len = line_split(text, (size_t)width);

        printf("%-*.*s ", width, (int)len, text);
        state_print(info->status, STATUS_WIDTH);
        printf(" %-10s %-10s %s\n", names.mode, names.user, names.group);
        text += len;
    } while (*text);
}

/* The text of each group, malloc'd, at the index of its first node; the others are NULL. */
static char **groups_make(const struct bproc_node_info_t *nodes, size_t count)
{
    char **groups = calloc(count + 1, sizeof(*groups));
    char *done = calloc(count + 1, 1);
    char *text = malloc((count + 1) * RANGE_LONGEST);

    for (size_t i = 0; groups && done && text && i < count; i++) {
        if (done[i])
            continue;
        group_format(nodes, count, i, done, text);
        groups[i] = strdup(text);
    }
    free(done);
    free(text);
    return groups;
}

static void compact_print(const struct bproc_node_info_t *nodes, size_t count, int window)
{
    char **groups = groups_make(nodes, count);
    int most = window - REST_WIDTH > NODES_WIDTH ? window - REST_WIDTH : NODES_WIDTH;
    int width = NODES_WIDTH;

    for (size_t i = 0; groups && i < count; i++)
        if (groups[i] && (int)strlen(groups[i]) > width)
            width = (int)strlen(groups[i]) < most ? (int)strlen(groups[i]) : most;
    printf("%-*s %-12s %-10s %-10s %s\n", width, "Node(s)", "Status", "Mode", "User", "Group");
    for (size_t i = 0; groups && i < count; i++) {
        if (groups[i])
            group_print(&nodes[i], groups[i], width);
        free(groups[i]);
    }
    free(groups);
}

static void long_print(const struct bproc_node_info_t *nodes, size_t count)
{
    struct names names;

    printf("%4s %-15s %-12s %-13s %-10s %s\n", "Node", "Address", "Status", "Mode", "User",
           "Group");
    for (size_t i = 0; i < count; i++) {
        names_fill(&names, &nodes[i]);
        printf("%4d %-15s ", nodes[i].node, names.addr);
        state_print(nodes[i].status, STATUS_WIDTH);
        printf(" %-10s\t%-10s %s\n", names.mode, names.user, names.group);
    }
}

static void column_print(const struct bproc_node_info_t *info, enum table_form form)
{
    struct names names;

    if (form == FORM_NUMBER) {
        printf("%d\n", info->node);
    } else if (form == FORM_STATUS) {
        state_print(info->status, 0);
        putchar('\n');
    } else {
        names_fill(&names, info);
        puts(names.addr);
    }
}

void table_print(const struct bproc_node_info_t *nodes, size_t count, enum table_form form,
                 int window)
{
    switch (form) {
    case FORM_COMPACT:
        compact_print(nodes, count, window);
        break;
    case FORM_LONG:
        long_print(nodes, count);
        break;
    case FORM_TOTAL:
        printf("%zu\n", count);
        break;
    default:
        for (size_t i = 0; i < count; i++)
            column_print(&nodes[i], form);
    }
}
