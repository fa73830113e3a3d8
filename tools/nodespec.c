/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/nodespec.h"

#define NO_MATCH 1

static const char *const state_names[BPROC_NODE_NSTATES] = BPROC_NODE_STATE_STRINGS;

int nodespec_state(const char *name)
{
    for (int state = 0; state < BPROC_NODE_NSTATES; state++)
        if (strcmp(name, state_names[state]) == 0)
            return state;
    return -1;
}

const char *nodespec_state_name(int state)
{
    return state >= 0 && state < BPROC_NODE_NSTATES ? state_names[state] : "unknown";
}

static int list_push(struct nodespec *out, int node)
{
    if (out->count == NODESPEC_MAX)
        return -E2BIG;
    if (out->count == out->room) {
        size_t room = out->room ? 2 * out->room : 64;
        int *nodes = realloc(out->nodes, room * sizeof(*nodes));

        if (!nodes)
            return -ENOMEM;
        out->nodes = nodes;
        out->room = room;
    }
    out->nodes[out->count++] = node;
    return 0;
}

void nodespec_free(struct nodespec *out)
{
    free(out->nodes);
    *out = (struct nodespec) { 0 };
}

static int push_range(struct nodespec *out, const struct tool_nodes *table, int first, int last)
{
    int error = 0;

    for (int i = 0; i < table->count && !error; i++)
        if (table->list[i].node >= first && table->list[i].node <= last)
            error = list_push(out, table->list[i].node);
    return error;
}

/* Nodes whose state is `state`, or is not. */
static int push_state(struct nodespec *out, const struct tool_nodes *table, int state, bool in)
{
    int error = 0;

    for (int i = 0; i < table->count && !error; i++)
        if ((table->list[i].status == state) == in)
            error = list_push(out, table->list[i].node);
    return error;
}

/* Reads "5", "n5" or ".5" at *text and moves on behind it. */
static bool number_read(const char **text, int *number)
{
    const char *digits = **text == 'n' || **text == '.' ? *text + 1 : *text;
    char *end;
    long value;

    if (*digits < '0' || *digits > '9')
        return false;
    errno = 0;
    value = strtol(digits, &end, 10);
    if (errno || value > INT_MAX)
        return false;
    *number = (int)value;
    *text = end;
    return true;
}

static int add_numbers(struct nodespec *out, const char *item, const struct tool_nodes *table)
{
    int first, last = INT_MAX;

    if (!number_read(&item, &first))
        return NO_MATCH;
    if (*item == '\0')
        return list_push(out, first);
    if (*item++ != '-')
        return NO_MATCH;
    if (*item != '\0' && (!number_read(&item, &last) || *item != '\0'))
        return NO_MATCH;
    return push_range(out, table, first, last);
}

static int add_special(struct nodespec *out, const char *item, const struct tool_nodes *table)
{
    char host[HOST_NAME_MAX + 1];

    if (strcmp(item, "-1") == 0 || strcmp(item, "n-1") == 0 || strcmp(item, "master") == 0)
        return list_push(out, BPROC_NODE_MASTER);
    if (strcmp(item, "self") == 0 || strcmp(item, "localhost") == 0)
        return list_push(out, table->self);
    if (gethostname(host, sizeof(host)) == 0 && strcmp(item, host) == 0)
        return list_push(out, table->self);
    return NO_MATCH;
}

static int add_states(struct nodespec *out, const char *item, const struct tool_nodes *table)
{
    bool in = true;
    int state;

    if (strcmp(item, "all") == 0)
        return push_range(out, table, 0, INT_MAX);
    if (strncmp(item, "all", 3) == 0)
        item += 3;
    if (strncmp(item, "not", 3) == 0) {
        item += 3;
        in = false;
    }
    state = nodespec_state(item);
    return state < 0 ? NO_MATCH : push_state(out, table, state, in);
}

static int add_address(struct nodespec *out, const char *item, const struct tool_nodes *table)
{
    struct in_addr addr;

    if (inet_pton(AF_INET, item, &addr) != 1)
        return NO_MATCH;
    for (int i = 0; i < table->count; i++)
        if (table->list[i].addr == addr.s_addr)
            return list_push(out, table->list[i].node);
    return NO_MATCH;
}

static int add_item(struct nodespec *out, const char *item, const struct tool_nodes *table)
{
    int error = add_numbers(out, item, table);

    if (error == NO_MATCH)
        error = add_states(out, item, table);
    /* Host names come late: a machine that is called "up" does not change what that means. */
    if (error == NO_MATCH)
        error = add_special(out, item, table);
    if (error == NO_MATCH)
        error = add_address(out, item, table);
    return error;
}

int nodespec_add(struct nodespec *out, const char *spec, const struct tool_nodes *table,
                 char *text, size_t len)
{
    char *copy = strdup(spec), *rest = copy, *item;
    int error = copy ? 0 : -ENOMEM;

    while (!error && (item = strsep(&rest, ",")) != NULL) {
        error = add_item(out, item, table);
        if (error == NO_MATCH) {
            snprintf(text, len, "'%s' is no node", item);
            error = -EINVAL;
        } else if (error) {
            snprintf(text, len, "'%s': %s", item, strerror(-error));
        }
    }
    if (!copy)
        snprintf(text, len, "'%s': %s", spec, strerror(ENOMEM));
    free(copy);
    return error;
}
