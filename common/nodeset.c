/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nodeset.h"

int nodeset_push(struct nodeset *set, int node)
{
    if (set->count == NODESET_MAX)
        return -E2BIG;
    if (set->count == set->room) {
        size_t room = set->room ? 2 * set->room : 64;
        int *nodes = realloc(set->nodes, room * sizeof(*nodes));

        if (!nodes)
            return -ENOMEM;
        set->nodes = nodes;
        set->room = room;
    }
    set->nodes[set->count++] = node;
    return 0;
}

void nodeset_free(struct nodeset *set)
{
    free(set->nodes);
    *set = (struct nodeset) { 0 };
}

bool nodeset_has(const struct nodeset *set, int node)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->nodes[i] == node)
            return true;
    return false;
}

/* Those alone that `others` has, or has not. */
static void nodes_keep(struct nodeset *set, const struct nodeset *others, bool in)
{
    size_t kept = 0;

    for (size_t i = 0; i < set->count; i++)
        if (nodeset_has(others, set->nodes[i]) == in)
            set->nodes[kept++] = set->nodes[i];
    set->count = kept;
}

void nodeset_remove(struct nodeset *set, const struct nodeset *others)
{
    nodes_keep(set, others, false);
}

void nodeset_intersect(struct nodeset *set, const struct nodeset *others)
{
    nodes_keep(set, others, true);
}

int nodeset_differ(struct nodeset *set, struct nodeset *others)
{
    struct nodeset both = { 0 };
    int error = 0;

    for (size_t i = 0; i < set->count && !error; i++)
        if (nodeset_has(others, set->nodes[i]))
            error = nodeset_push(&both, set->nodes[i]);
    nodeset_remove(set, &both);
    nodeset_remove(others, &both);
    nodeset_free(&both);
    for (size_t i = 0; i < others->count && !error; i++)
        error = nodeset_push(set, others->nodes[i]);
    return error;
}

static int node_compare(const void *a, const void *b)
{
    int left = *(const int *)a, right = *(const int *)b;

    return (left > right) - (left < right);
}

/* The nodes from *at on that follow one another, as "3" or "3-7"; *at goes behind them. */
static void run_print(FILE *out, const struct nodeset *sorted, size_t *at)
{
    int first = sorted->nodes[*at], last = first;

    while (++*at < sorted->count && sorted->nodes[*at] <= last + 1)
        last = sorted->nodes[*at];
    if (last > first)
        fprintf(out, "%d-%d", first, last);
    else
        fprintf(out, "%d", first);
}

static void fold_print(FILE *out, const struct nodeset *sorted)
{
    size_t at = 0;

    while (at < sorted->count && sorted->nodes[at] < 0)
        at++;
    if (at > 0)
        fputs(at < sorted->count ? "master," : "master", out);
    if (at == sorted->count)
        return;
    if (sorted->nodes[at] == sorted->nodes[sorted->count - 1]) {
        fprintf(out, "n%d", sorted->nodes[at]);
        return;
    }
    for (const char *before = "n["; at < sorted->count; before = ",") {
        fputs(before, out);
        run_print(out, sorted, &at);
    }
    fputc(']', out);
}

char *nodeset_fold(const struct nodeset *set)
{
    struct nodeset sorted = { .count = set->count };
    char *text = NULL;
    size_t len;
    FILE *out = NULL;

    sorted.nodes = malloc((set->count + 1) * sizeof(*sorted.nodes));
    if (sorted.nodes)
        out = open_memstream(&text, &len);
    if (out) {
        if (set->count > 0)
            memcpy(sorted.nodes, set->nodes, set->count * sizeof(*sorted.nodes));
        qsort(sorted.nodes, sorted.count, sizeof(*sorted.nodes), node_compare);
        fold_print(out, &sorted);
        if (fclose(out) != 0) {
            free(text);
            text = NULL;
        }
    }
    free(sorted.nodes);
    return text;
}
