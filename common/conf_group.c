/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_parse.h"

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

/*
 * The next group that a specification names, from *at on, which goes behind it; NULL: none is.
 * What is between the operators of tools/nodespec.h; a file's name goes on up to the comma.
 */
static const char *name_next(const char **at, size_t *len)
{
    const char *name = NULL;

    while (!name && **at) {
        const char *term = *at + (strncmp(*at, "-@", 2) == 0);
        size_t size = strcspn(term, *term == '^' ? "," : ",&!^");

        *at = term + size + (term[size] != '\0');
        *len = size - 1;
        name = *term == '@' ? term + 1 : NULL;
    }
    return name;
}

enum look { LOOK_NONE, LOOK_BEGUN, LOOK_OVER };

/* A group and all that it leads to. */
static void group_look(struct conf_parse *parse, int group, char *looks)
{
    const struct conf_group *groups = parse->conf->groups;
    const char *at = groups[group].spec, *name;
    size_t len;

    looks[group] = LOOK_BEGUN;
    while ((name = name_next(&at, &len)) != NULL) {
        int other = group_find(parse->conf, name, len);

        parse->line = groups[group].line;
        if (other < 0)
            conf_error(parse, "nodegroup: `@%s' names `@%.*s', which is no group",
                       groups[group].name, (int)len, name);
        else if (looks[other] == LOOK_BEGUN)
            conf_error(parse, "nodegroup: `@%s' contains itself", groups[other].name);
        else if (looks[other] == LOOK_NONE)
            group_look(parse, other, looks);
    }
    looks[group] = LOOK_OVER;
}

void conf_check_groups(struct conf_parse *parse)
{
    char looks[CONF_MAX_GROUPS] = { LOOK_NONE };

    for (unsigned i = 0; i < parse->conf->ngroups; i++)
        if (looks[i] == LOOK_NONE)
            group_look(parse, (int)i, looks);
    parse->line = 0;
}
