/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What conf.c (the file) and conf_keyword.c (the meaning of each keyword) share. */
#ifndef BPROC_CONF_PARSE_H
#define BPROC_CONF_PARSE_H

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

void conf_error(struct conf_parse *parse, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void conf_warning(struct conf_parse *parse, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* One line, already cut into words; words[0] is the keyword. */
void conf_keyword(struct conf_parse *parse, char **words, int count);

/* What only the whole file shows: node numbers beyond `nodes`. */
void conf_check(struct conf_parse *parse);

/* Adds a range of addresses for `node`. 0, -EEXIST when an address is taken, -ENOMEM. */
int conf_add_range(struct conf *conf, uint32_t first, uint32_t last, int node);

#endif
