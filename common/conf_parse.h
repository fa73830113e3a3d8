/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What conf.c (the file), conf_keyword.c (what each keyword means), conf_address.c (of those for
 * the nodes' addresses) and conf_group.c (of groups of nodes) share.
 */
#ifndef BPROC_CONF_PARSE_H
#define BPROC_CONF_PARSE_H

#include <stddef.h>

#include "common/conf.h"

#define CONF_MAX_WORDS 64

struct conf_parse {
    struct conf *conf;
    const char *path;
    int line;
    const char *rest;       /* the line behind its keyword, before it was cut into words */
    int next_node;          /* for `ip` and `iprange` without a number */
    unsigned errors;
    uint64_t seen;          /* bit set: single-valued keywords that were given */
    int said_foreign;       /* the one warning on keywords of other programs was given */
    conf_complain complain;
    void *arg;
};

struct keyword {
    const char *name;
    int least, most;            /* arguments */
    int single;                 /* may be given once */
    void (*apply)(struct conf_parse *parse, const struct keyword *keyword, char **args, int count);
    size_t offset;              /* of the field in struct conf */
    long low, high;
};

void conf_error(struct conf_parse *parse, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void conf_warning(struct conf_parse *parse, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* One line, already cut into words; words[0] is the keyword. */
void conf_keyword(struct conf_parse *parse, char **words, int count);

/* Take the arguments of `ip` and `iprange`. */
void conf_take_ip(struct conf_parse *parse, const struct keyword *keyword, char **args, int count);
void conf_take_iprange(struct conf_parse *parse, const struct keyword *keyword, char **args,
                       int count);

/* Takes the arguments of `nodegroup`. */
void conf_take_group(struct conf_parse *parse, const struct keyword *keyword, char **args,
                     int count);

/* 0 with *number from `low` to `high`, or -EINVAL. */
int conf_number(const char *word, long low, long high, long *number);

/* What only the whole file shows: node numbers beyond `nodes`. */
void conf_check(struct conf_parse *parse);

/* Adds a range of addresses for `node`. 0, -EEXIST when an address is taken, -ENOMEM. */
int conf_add_range(struct conf *conf, uint32_t first, uint32_t last, int node);

#endif
