/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/nodelang.h"
#include "common/nodewords.h"

#define NO_MATCH 1

static const char *const state_names[BPROC_NODE_NSTATES] = BPROC_NODE_STATE_STRINGS;

int nodelang_state(const char *name)
{
    for (int state = 0; state < BPROC_NODE_NSTATES; state++)
        if (strcmp(name, state_names[state]) == 0)
            return state;
    return -1;
}

const char *nodelang_state_name(int state)
{
    return state >= 0 && state < BPROC_NODE_NSTATES ? state_names[state] : "unknown";
}

/* One specification on its way: where reasons go, and how deep groups and files lie in it. */
struct parse {
    const struct nodelang_world *world;
    int depth;
    char *text;
    size_t len;
};

__attribute__((format(printf, 3, 4)))
static int parse_fail(const struct parse *parse, int error, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(parse->text, parse->len, fmt, args);
    va_end(args);
    return error;
}

/* All of `set`, which is what `name` means. */
static int push_all(struct nodeset *out, const struct nodeset *set, const char *name,
                    const struct parse *parse)
{
    int error = 0;

    for (size_t i = 0; i < set->count && !error; i++)
        error = nodeset_push(out, set->nodes[i]);
    return error ? parse_fail(parse, error, "'%s': %s", name, strerror(-error)) : 0;
}

static int push_range(struct nodeset *out, const struct nodelang_world *world, int first, int last,
                      int step)
{
    int error = 0;

    for (int i = 0; i < world->count && !error; i++) {
        int node = world->list[i].node;

        if (node >= first && node <= last && (node - first) % step == 0)
            error = nodeset_push(out, node);
    }
    return error;
}

/* Nodes whose state is `state`, or is not. */
static int push_state(struct nodeset *out, const struct nodelang_world *world, int state, bool in)
{
    int error = 0;

    for (int i = 0; i < world->count && !error; i++)
        if ((world->list[i].status == state) == in)
            error = nodeset_push(out, world->list[i].node);
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

int nodelang_number(const char *spec)
{
    int node;

    return number_read(&spec, &node) && *spec == '\0' ? node : -1;
}

/* "5", "2-6", "2-", "0-8/2". */
static int add_numbers(struct nodeset *out, const char *item, const struct nodelang_world *world)
{
    int first, last = INT_MAX, step = 1;

    if (!number_read(&item, &first))
        return NO_MATCH;
    if (*item == '\0')
        return nodeset_push(out, first);
    if (*item++ != '-')
        return NO_MATCH;
    if (*item && *item != '/' && !number_read(&item, &last))
        return NO_MATCH;
    if (*item == '/' && (item++, !number_read(&item, &step)))
        return NO_MATCH;
    return *item || step < 1 ? NO_MATCH : push_range(out, world, first, last, step);
}

/* "n[0-3,7]": what is between the brackets. */
static int add_folded(struct nodeset *out, char *item, const struct nodelang_world *world)
{
    char *inner = *item == 'n' || *item == '.' ? item + 1 : item, *part;
    size_t len = strlen(inner);
    int error = 0;

    if (len < 2 || *inner != '[' || strchr(inner, ']') != inner + len - 1)
        return NO_MATCH;
    inner[len - 1] = '\0';
    inner++;
    while (!error && (part = strsep(&inner, ",")) != NULL)
        error = *part >= '0' && *part <= '9' ? add_numbers(out, part, world) : NO_MATCH;
    return error;
}

static int add_special(struct nodeset *out, const char *item, const struct nodelang_world *world)
{
    char host[HOST_NAME_MAX + 1];

    if (strcmp(item, "-1") == 0 || strcmp(item, "n-1") == 0 || strcmp(item, "master") == 0)
        return nodeset_push(out, BPROC_NODE_MASTER);
    if (strcmp(item, "self") == 0 || strcmp(item, "localhost") == 0)
        return nodeset_push(out, world->self);
    if (gethostname(host, sizeof(host)) == 0 && strcmp(item, host) == 0)
        return nodeset_push(out, world->self);
    return NO_MATCH;
}

static int add_states(struct nodeset *out, const char *item, const struct nodelang_world *world)
{
    bool in = true;
    int state;

    if (strcmp(item, "all") == 0)
        return push_range(out, world, 0, INT_MAX, 1);
    if (strncmp(item, "all", 3) == 0)
        item += 3;
    if (strncmp(item, "not", 3) == 0) {
        item += 3;
        in = false;
    }
    state = nodelang_state(item);
    return state < 0 ? NO_MATCH : push_state(out, world, state, in);
}

static int add_address(struct nodeset *out, const char *item, const struct nodelang_world *world)
{
    struct in_addr addr;

    if (inet_pton(AF_INET, item, &addr) != 1)
        return NO_MATCH;
    if (world->words_only)
        return 0;
    for (int i = 0; i < world->count; i++)
        if (world->list[i].addr == addr.s_addr)
            return nodeset_push(out, world->list[i].node);
    return NO_MATCH;
}

static int spec_read(struct nodeset *out, const char *spec, const struct parse *parse);

/* Items of other sources, evaluated by themselves and appended: a group's or a file's. */
static int add_inner(struct nodeset *out, const struct parse *parse, const char *name,
                     const char *spec)
{
    char text[256] = "";
    struct parse inner = { parse->world, parse->depth + 1, text, sizeof(text) };
    struct nodeset set = { 0 };
    int error;

    if (inner.depth > NODELANG_DEPTH)
        return parse_fail(parse, -ELOOP, "'%s' contains itself", name);
    error = *spec ? spec_read(&set, spec, &inner) : 0;
    if (error)
        parse_fail(parse, error, "%s: %s", name, text);
    else
        error = push_all(out, &set, name, parse);
    nodeset_free(&set);
    return error;
}

static int add_group(struct nodeset *out, const char *item, const struct parse *parse)
{
    const struct nodelang_world *world = parse->world;
    const char *spec;
    int error = world->group(world->arg, item + 1, &spec, parse->text, parse->len);

    return error ? error : add_inner(out, parse, item, spec);
}

static int add_file(struct nodeset *out, const char *item, const struct parse *parse)
{
    const char *reason;
    char *spec;
    int error;

    if (parse->world->words_only)
        return 0;
    spec = nodewords_read(item + 1, &reason);
    if (!spec)
        return parse_fail(parse, -EINVAL, "cannot read nodes from '%s': %s", item + 1, reason);
    error = add_inner(out, parse, item, spec);
    free(spec);
    return error;
}

static int add_plain(struct nodeset *out, char *item, const struct nodelang_world *world)
{
    int error = add_numbers(out, item, world);

    if (error == NO_MATCH)
        error = add_states(out, item, world);
    /* Host names come late: a machine that is called "up" does not change what that means. */
    if (error == NO_MATCH)
        error = add_special(out, item, world);
    if (error == NO_MATCH)
        error = add_address(out, item, world);
    return error;
}

/* `item` may be changed. */
static int add_term(struct nodeset *out, char *item, const struct parse *parse)
{
    char whole[128];
    int error;

    if (*item == '@')
        return add_group(out, item, parse);
    if (*item == '^')
        return add_file(out, item, parse);
    snprintf(whole, sizeof(whole), "%s", item);
    error = strchr(item, '[') ? add_folded(out, item, parse->world)
                              : add_plain(out, item, parse->world);
    if (error == NO_MATCH)
        return parse_fail(parse, -EINVAL, "'%s' is no node", whole);
    return error ? parse_fail(parse, error, "'%s': %s", whole, strerror(-error)) : 0;
}

/* The term at *rest, ended, *rest goes behind the operator that ended it; '\0' when none did. */
static char term_next(char **rest, char **term)
{
    char *end = *term = *rest;
    char op;

    end += strcspn(end, *end == '^' ? "" : "&!^");
    op = *end;
    *end = '\0';
    *rest = end + 1;
    return op;
}

static int term_apply(struct nodeset *set, char op, char *term, const struct parse *parse)
{
    struct nodeset other = { 0 };
    int error = add_term(&other, term, parse);

    if (!error && op == '&')
        nodeset_intersect(set, &other);
    else if (!error && op == '!')
        nodeset_remove(set, &other);
    else if (!error)
        error = nodeset_differ(set, &other);
    nodeset_free(&other);
    return error;
}

/* `item` may be changed. */
static int add_item(struct nodeset *out, char *item, const struct parse *parse)
{
    struct nodeset set = { 0 };
    char *term, op = term_next(&item, &term);
    int error = add_term(&set, term, parse);

    while (!error && op) {
        char before = op;

        op = term_next(&item, &term);
        error = term_apply(&set, before, term, parse);
    }
    if (!error)
        error = push_all(out, &set, term, parse);
    nodeset_free(&set);
    return error;
}

/* The item at *rest, ended; *rest goes behind its comma, or becomes NULL. Brackets keep commas. */
static char *item_next(char **rest)
{
    char *item = *rest, *end = item;

    if (!item)
        return NULL;
    for (int depth = 0; *end && (*end != ',' || depth > 0); end++)
        depth += (*end == '[') - (*end == ']');
    *rest = *end ? end + 1 : NULL;
    *end = '\0';
    return item;
}

/* "!3", "-n3", "-@rack": but -1 is the master. */
static bool item_excludes(const char *item)
{
    return *item == '!' || (*item == '-' && item[1] && (item[1] < '0' || item[1] > '9'));
}

static int spec_read(struct nodeset *out, const char *spec, const struct parse *parse)
{
    char *copy = strdup(spec), *rest = copy, *item;
    struct nodeset drop = { 0 };
    bool adds = out->count > 0;
    int error = copy ? 0 : parse_fail(parse, -ENOMEM, "'%s': %s", spec, strerror(ENOMEM));

    while (!error && (item = item_next(&rest)) != NULL) {
        bool excludes = item_excludes(item);

        adds |= !excludes;
        error = add_item(excludes ? &drop : out, item + excludes, parse);
    }
    if (!error && !adds)
        error = push_range(out, parse->world, 0, INT_MAX, 1);
    nodeset_remove(out, &drop);
    nodeset_free(&drop);
    free(copy);
    return error;
}

int nodelang_read(struct nodeset *out, const char *spec, const struct nodelang_world *world,
                  char *text, size_t len)
{
    return spec_read(out, spec, &(struct parse) { world, 0, text, len });
}
