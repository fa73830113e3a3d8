/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/conf_parse.h"
#include "common/fd.h"
#include "common/log.h"

#define FILE_MAX (4u << 20)
#define BLANK " \t\r\v\f"

struct conf *conf_defaults(void)
{
    struct conf *conf = calloc(1, sizeof(*conf));

    if (!conf)
        return NULL;
    conf->port = 2223;
    conf->data_port = 2224;
    conf->ping_timeout = 30;
    conf->orphan_timeout = 600;
    conf->node_up_timeout = 600;
    conf->cache_size = 1ULL << 30;
    snprintf(conf->cache_dir, sizeof(conf->cache_dir), "/var/cache/bproc");
    snprintf(conf->node_up, sizeof(conf->node_up), "%s/node_up", BPROC_CONFIG_DIR);
    snprintf(conf->socket, sizeof(conf->socket), "%s", BPROC_SOCKET_PATH);
    snprintf(conf->state_dir, sizeof(conf->state_dir), "%s", BPROC_STATE_DIR);
    snprintf(conf->run_dir, sizeof(conf->run_dir), "%s", BPROC_RUN_DIR);
    snprintf(conf->log_dir, sizeof(conf->log_dir), "/var/log/bproc");
    conf->reboot_command = strdup("systemctl reboot");
    conf->halt_command = strdup("systemctl halt");
    conf->pwroff_command = strdup("systemctl poweroff");
    if (conf->reboot_command && conf->halt_command && conf->pwroff_command)
        return conf;
    conf_free(conf);
    return NULL;
}

void conf_free(struct conf *conf)
{
    if (!conf)
        return;
    for (unsigned i = 0; i < conf->ngroups; i++) {
        free(conf->groups[i].name);
        free(conf->groups[i].spec);
    }
    free(conf->groups);
    free(conf->reboot_command);
    free(conf->halt_command);
    free(conf->pwroff_command);
    free(conf->ranges);
    free(conf);
}

__attribute__((format(printf, 3, 0)))
static void complain(struct conf_parse *parse, int is_error, const char *fmt, va_list args)
{
    char text[400], line[PATH_MAX + 500];

    vsnprintf(text, sizeof(text), fmt, args);
    if (parse->line > 0)
        snprintf(line, sizeof(line), "%s:%d: %s", parse->path, parse->line, text);
    else
        snprintf(line, sizeof(line), "%s: %s", parse->path, text);
    parse->errors += is_error ? 1 : 0;
    parse->complain(parse->arg, is_error, line);
}

void conf_error(struct conf_parse *parse, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    complain(parse, 1, fmt, args);
    va_end(args);
}

void conf_warning(struct conf_parse *parse, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    complain(parse, 0, fmt, args);
    va_end(args);
}

/* A word with quotes: `'` or `"` around it, a backslash before a quote. NULL: it has no end. */
static char *word_unquote(char *word, char **rest)
{
    char *out = word, *in = word + 1;
    char quote = *word;

    while (*in && *in != quote) {
        if (*in == '\\' && (in[1] == '"' || in[1] == '\''))
            in++;
        *out++ = *in++;
    }
    if (!*in)
        return NULL;
    *rest = in + 1;
    *out = '\0';
    return word;
}

/* Cuts the line into words, in place. Their number; -1: it has been complained of. */
static int line_cut(struct conf_parse *parse, char *line, char *words[CONF_MAX_WORDS])
{
    int count = 0;

    for (char *at = line + strspn(line, BLANK); *at; at += strspn(at, BLANK)) {
        if (count == CONF_MAX_WORDS) {
            conf_error(parse, "more than %d words on one line", CONF_MAX_WORDS);
            return -1;
        }
        words[count++] = at;
        if (*at == '\'' || *at == '"') {
            if (!word_unquote(at, &at)) {
                conf_error(parse, "quote without an end");
                return -1;
            }
            continue;
        }
        at += strcspn(at, BLANK);
        if (*at)
            *at++ = '\0';
    }
    return count;
}

static void line_parse(struct conf_parse *parse, char *line)
{
    char *words[CONF_MAX_WORDS], *rest;
    size_t end;
    int count;

    line += strspn(line, BLANK);
    end = strcspn(line, "#");
    while (end > 0 && strchr(BLANK, line[end - 1]))
        end--;
    line[end] = '\0';
    rest = line + strcspn(line, BLANK);
    rest = strdup(rest + strspn(rest, BLANK));
    parse->rest = rest;
    count = rest ? line_cut(parse, line, words) : -1;
    if (!rest)
        conf_error(parse, "%s", strerror(ENOMEM));
    if (count > 0)
        conf_keyword(parse, words, count);
    free(rest);
}

static void text_parse(struct conf_parse *parse, char *text, size_t len)
{
    if (strlen(text) != len) {
        parse->line = 1;
        conf_error(parse, "this is not a text file");
        return;
    }
    while (text) {
        char *line = strsep(&text, "\n");

        parse->line++;
        line_parse(parse, line);
    }
    /* What is wrong with the whole is on no line. */
    parse->line = 0;
    conf_check(parse);
}

int conf_load(const char *path, conf_complain complain_to, void *arg, struct conf **conf)
{
    struct conf_parse parse = { .path = path, .complain = complain_to, .arg = arg };
    char *text;
    size_t len;
    int error = fd_read_file(path, FILE_MAX, &text, &len);

    if (error)
        return error;
    parse.conf = conf_defaults();
    if (parse.conf) {
        parse.conf->socket[0] = '\0';
        text_parse(&parse, text, len);
    }
    free(text);
    if (parse.conf && !parse.errors) {
        *conf = parse.conf;
        return 0;
    }
    error = parse.conf ? -EINVAL : -ENOMEM;
    conf_free(parse.conf);
    return error;
}

int conf_size(const struct conf *conf)
{
    int size = conf->nodes;

    for (unsigned i = 0; conf->nodes == 0 && i < conf->nranges; i++) {
        const struct conf_range *range = &conf->ranges[i];
        int end = range->node + (int)(range->last - range->first) + 1;

        size = end > size ? end : size;
    }
    return size;
}

int conf_node_of(const struct conf *conf, uint32_t addr)
{
    for (unsigned i = 0; i < conf->nranges; i++)
        if (addr >= conf->ranges[i].first && addr <= conf->ranges[i].last)
            return conf->ranges[i].node + (int)(addr - conf->ranges[i].first);
    return -1;
}

uint32_t conf_addr_of(const struct conf *conf, int node)
{
    for (unsigned i = 0; i < conf->nranges; i++) {
        const struct conf_range *range = &conf->ranges[i];

        if (node >= range->node && (uint32_t)(node - range->node) <= range->last - range->first)
            return range->first + (uint32_t)(node - range->node);
    }
    return 0;
}

int conf_add_range(struct conf *conf, uint32_t first, uint32_t last, int node)
{
    struct conf_range *ranges;

    for (unsigned i = 0; i < conf->nranges; i++)
        if (first <= conf->ranges[i].last && last >= conf->ranges[i].first)
            return -EEXIST;
    ranges = realloc(conf->ranges, (conf->nranges + 1) * sizeof(*ranges));
    if (!ranges)
        return -ENOMEM;
    ranges[conf->nranges++] = (struct conf_range){ first, last, node };
    conf->ranges = ranges;
    return 0;
}

void conf_complain_log(void *arg, int is_error, const char *line)
{
    (void)arg;
    log_warnx("%s%s", is_error ? "" : "warning: ", line);
}
