/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_parse.h"
#include "common/nodelang.h"

static int group_find(const struct conf *conf, const char *name, size_t len)
{
    for (unsigned i = 0; i < conf->ngroups; i++)
        if (strlen(conf->groups[i].name) == len && strncmp(conf->groups[i].name, name, len) == 0)
            return (int)i;
    return -1;
}

static const char *group_wrong(const struct conf *conf, const char *name, const char *spec)
{
    if (name[0] != '@' || !name[1])
        return "does not start with @";
    if (strlen(name + 1) > CONF_MAX_GROUP_NAME)
        return "is too long a name";
    if (strlen(spec) > CONF_MAX_GROUP_SPEC)
        return "has too long a list of nodes";
    if (conf->ngroups == CONF_MAX_GROUPS)
        return "is one group too many";
    return group_find(conf, name + 1, strlen(name + 1)) < 0 ? NULL : "was given before";
}

void conf_take_group(struct conf_parse *parse, const struct keyword *keyword, char **args,
                     int count)
{
    struct conf *conf = parse->conf;
    struct conf_group *groups, group;
    const char *wrong = group_wrong(conf, args[0], args[1]);

    (void)count;
    if (wrong) {
        conf_error(parse, "%s: `%s' %s", keyword->name, args[0], wrong);
        return;
    }
    groups = realloc(conf->groups, (conf->ngroups + 1) * sizeof(*groups));
    if (groups)
        conf->groups = groups;
    group = (struct conf_group) { strdup(args[0] + 1), strdup(args[1]), parse->line };
    if (groups && group.name && group.spec) {
        groups[conf->ngroups++] = group;
        return;
    }
    conf_error(parse, "%s: %s", keyword->name, strerror(ENOMEM));
    free(group.name);
    free(group.spec);
}

enum look { LOOK_NONE, LOOK_BEGUN, LOOK_OVER };

/* A look at all groups. */
struct looking {
    struct conf_parse parse;
    int size;               /* how many nodes there are */
    int group;              /* which one is looked at */
    char looks[CONF_MAX_GROUPS];
    int depths[CONF_MAX_GROUPS];    /* how many lie in one another, itself included */
};

static void group_look(struct looking *looking, int group);

/* What is in the other group is looked at by itself, once. */
static int other_look(void *arg, const char *name, const char **spec, char *text, size_t len)
{
    struct looking *looking = arg;
    int other = group_find(looking->parse.conf, name, strlen(name));

    if (other < 0) {
        snprintf(text, len, "'@%s' is no group of nodes", name);
        return -EINVAL;
    }
    if (looking->looks[other] == LOOK_BEGUN) {
        snprintf(text, len, "'@%s' contains itself", name);
        return -ELOOP;
    }
    if (looking->looks[other] == LOOK_NONE)
        group_look(looking, other);
    if (looking->depths[looking->group] <= looking->depths[other])
        looking->depths[looking->group] = looking->depths[other] + 1;
    *spec = "";
    return 0;
}

static int nodes_check(const struct nodeset *nodes, int size, char *text, size_t len)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (nodes->nodes[i] >= size) {
            snprintf(text, len, "there is no node %d", nodes->nodes[i]);
            return -EINVAL;
        }
    return 0;
}

/* Ranges and states are of no nodes here: what is left are the nodes that stand there by number. */
static void group_look(struct looking *looking, int group)
{
    const struct conf_group *given = &looking->parse.conf->groups[group];
    const struct nodelang_world world = { .self = BPROC_NODE_MASTER, .words_only = true,
                                          .group = other_look, .arg = looking };
    struct nodeset nodes = { 0 };
    int outer = looking->group, error;
    char text[256];

    looking->looks[group] = LOOK_BEGUN;
    looking->depths[group] = 1;
    looking->group = group;
    error = *given->spec ? nodelang_read(&nodes, given->spec, &world, text, sizeof(text)) : 0;
    if (!error)
        error = nodes_check(&nodes, looking->size, text, sizeof(text));
    nodeset_free(&nodes);
    if (!error && looking->depths[group] > NODELANG_DEPTH) {
        snprintf(text, sizeof(text), "more than %d groups lie in one another", NODELANG_DEPTH);
        error = -ELOOP;
    }
    looking->looks[group] = LOOK_OVER;
    looking->group = outer;
    looking->parse.line = given->line;
    if (error)
        conf_error(&looking->parse, "nodegroup: cannot take `@%s': %s", given->name, text);
}

int conf_check_groups(struct conf *conf, const char *path, conf_complain complain, void *arg)
{
    struct looking looking = { .parse = { .conf = conf, .path = path, .complain = complain,
                                          .arg = arg },
                               .size = conf_size(conf) };

    for (unsigned i = 0; i < conf->ngroups; i++)
        if (looking.looks[i] == LOOK_NONE)
            group_look(&looking, (int)i);
    return looking.parse.errors ? -EINVAL : 0;
}
