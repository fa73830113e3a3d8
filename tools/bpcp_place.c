/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bpcp_place.h"
#include "tools/nodespec.h"

/* Length of what stands in front of the colon, 0 if there is none. */
static size_t spec_length(const char *text)
{
    size_t len = strcspn(text, ":/");

    return text[len] == ':' ? len : 0;
}

/* Behind "USER@", which is not asked for: who we are, the kernel says. */
static const char *user_skip(const char *text, size_t len)
{
    size_t user = strcspn(text, "@,[^!&:");

    return user > 0 && user < len && text[user] == '@' ? text + user + 1 : text;
}

/* Takes off the brackets that callers of scp put around every host, for the sake of IPv6. */
static void brackets_strip(char *spec)
{
    size_t len = strlen(spec);

    if (*spec != '[' || strchr(spec, ']') != spec + len - 1)
        return;
    memmove(spec, spec + 1, len - 2);
    spec[len - 2] = '\0';
}

static void place_split(struct place *place, const char *text, const char *spec)
{
    size_t len = spec_length(text);
    const char *start = user_skip(text, len);
    const char *path = len > 0 ? text + len + 1 : text;

    if (len > 0 && spec)
        errx(1, "'%s': nodes are given by -w already", text);
    place->spec = len > 0 ? strndup(start, (size_t)(text + len - start)) : NULL;
    if (spec)
        place->spec = strdup(spec);
    place->path = strdup(*path ? path : ".");
    if (((len > 0 || spec) && !place->spec) || !place->path)
        errx(1, "cannot copy '%s': %s", text, strerror(ENOMEM));
    if (place->spec)
        brackets_strip(place->spec);
}

/* Each node once: two copies of a file into one would be in each other's way. */
static void nodes_unite(struct nodeset *set)
{
    struct nodeset once = { 0 };

    for (size_t i = 0; i < set->count; i++)
        if (!nodeset_has(&once, set->nodes[i]) && nodeset_push(&once, set->nodes[i]) < 0)
            errx(1, "cannot list the nodes: %s", strerror(ENOMEM));
    nodeset_free(set);
    *set = once;
}

/* A number or a name gives one node in any cluster, all others depend on what there is. */
static bool spec_is_many(const char *spec, const struct tool_nodes *table)
{
    const struct tool_nodes empty = { .self = table->self };
    struct nodeset set = { 0 };
    char text[512];
    bool many = nodespec_add(&set, spec, &empty, text, sizeof(text)) == 0 && set.count != 1;

    nodeset_free(&set);
    return many;
}

void place_read(struct place *place, const char *text, const char *spec, const char *exclude,
                const struct tool_nodes *table)
{
    char reason[512];
    int error = 0;

    *place = (struct place) { 0 };
    place_split(place, text, spec);
    if (!place->spec) {
        error = nodeset_push(&place->nodes, table->self);
    } else {
        error = nodespec_add(&place->nodes, place->spec, table, reason, sizeof(reason));
        if (!error && exclude)
            error = nodespec_exclude(&place->nodes, exclude, table, reason, sizeof(reason));
        if (error)
            errx(1, "%s", reason);
        place->many = spec_is_many(place->spec, table) || place->nodes.count != 1;
    }
    if (error)
        errx(1, "cannot copy '%s': %s", text, strerror(-error));
    if (place->nodes.count == 0)
        errx(1, "cannot copy '%s': There is no such node now", text);
    nodes_unite(&place->nodes);
}

bool place_is_local(const struct place *place, const struct tool_nodes *table)
{
    return place->nodes.count == 1 && place->nodes.nodes[0] == table->self;
}

void place_free(struct place *place)
{
    free(place->spec);
    free(place->path);
    nodeset_free(&place->nodes);
    *place = (struct place) { 0 };
}
