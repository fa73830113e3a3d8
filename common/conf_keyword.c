/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_parse.h"
#include "common/log.h"
#include "proto/frame.h"

#define SOCKET_PATH_MAX 108     /* of struct sockaddr_un */

int conf_number(const char *word, long low, long high, long *number)
{
    char *end;

    errno = 0;
    *number = strtol(word, &end, 10);
    return end != word && !*end && !errno && *number >= low && *number <= high ? 0 : -EINVAL;
}

static void take_number(struct conf_parse *parse, const struct keyword *keyword, char **args,
                        int count)
{
    long number;

    (void)count;
    if (conf_number(args[0], keyword->low, keyword->high, &number) < 0)
        conf_error(parse, "%s: `%s' is not a number from %ld to %ld", keyword->name, args[0],
                   keyword->low, keyword->high);
    else
        *(int *)((char *)parse->conf + keyword->offset) = (int)number;
}

static void take_path(struct conf_parse *parse, const struct keyword *keyword, char **args,
                      int count)
{
    char *field = (char *)parse->conf + keyword->offset;

    (void)count;
    if (args[0][0] != '/')
        conf_error(parse, "%s: `%s' is not an absolute path", keyword->name, args[0]);
    else if (strlen(args[0]) > (size_t)keyword->high)
        conf_error(parse, "%s: a path of more than %ld bytes", keyword->name, keyword->high);
    else
        strcpy(field, args[0]);
}

/* A single word is taken as it reads without its quotes; several are the shell's to understand. */
static void take_command(struct conf_parse *parse, const struct keyword *keyword, char **args,
                         int count)
{
    char **field = (char **)((char *)parse->conf + keyword->offset);
    char *command = strdup(count > 1 ? parse->rest : args[0]);

    if (!command) {
        conf_error(parse, "%s: %s", keyword->name, strerror(ENOMEM));
        return;
    }
    free(*field);
    *field = command;
}

static void take_facility(struct conf_parse *parse, const struct keyword *keyword, char **args,
                          int count)
{
    int facility = log_facility(args[0]);

    (void)count;
    if (facility < 0)
        conf_error(parse, "%s: there is no syslog facility `%s'", keyword->name, args[0]);
    else
        parse->conf->log_facility = facility;
}

static void take_io(struct conf_parse *parse, const struct keyword *keyword, char **args, int count)
{
    (void)count;
    if (strcmp(args[0], "tls") != 0 && strcmp(args[0], "direct") != 0)
        conf_error(parse, "%s: `%s' is neither `tls' nor `direct'", keyword->name, args[0]);
    parse->conf->io_direct = strcmp(args[0], "direct") == 0;
}

static void take_size(struct conf_parse *parse, const struct keyword *keyword, char **args,
                      int count)
{
    static const char units[] = "KMGT";
    char *end;
    const char *unit;
    unsigned long long size = strtoull(args[0], &end, 10);
    unsigned shift = 0;

    (void)count;
    unit = *end ? strchr(units, *end) : NULL;
    if (unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        end++;
    }
    if (end == args[0] || *end || args[0][0] == '-' || size > (UINT64_MAX >> 1) >> shift)
        conf_error(parse, "%s: `%s' is not a size like 512M or 1G", keyword->name, args[0]);
    else
        parse->conf->cache_size = (uint64_t)size << shift;
}

static void take_interface(struct conf_parse *parse, const struct keyword *keyword, char **args,
                           int count)
{
    struct conf *conf = parse->conf;

    (void)count;
    if (strlen(args[0]) >= IFNAMSIZ)
        conf_error(parse, "%s: `%s' is too long a name", keyword->name, args[0]);
    else if (conf->ninterfaces == CONF_MAX_INTERFACES)
        conf_error(parse, "%s: more than %d interfaces", keyword->name, CONF_MAX_INTERFACES);
    else
        strcpy(conf->interfaces[conf->ninterfaces++], args[0]);
}

/* Several programs share the file in older clusters: their keywords are no mistake. */
static void take_foreign(struct conf_parse *parse, const struct keyword *keyword, char **args,
                         int count)
{
    (void)args;
    (void)count;
    if (!parse->said_foreign)
        conf_warning(parse, "`%s' has no meaning here, like other keywords of boot services",
                     keyword->name);
    parse->said_foreign = 1;
}

/* Scyld's way to name a port; the other services have no part here. */
static void take_server(struct conf_parse *parse, const struct keyword *keyword, char **args,
                        int count)
{
    long port;

    if (strcmp(args[0], "bproc") != 0)
        take_foreign(parse, keyword, args, count);
    else if (conf_number(args[1], 1, 65535, &port) < 0)
        conf_error(parse, "%s: `%s' is not a port from 1 to 65535", keyword->name, args[1]);
    else
        parse->conf->port = (int)port;
}

#define FIELD(name) offsetof(struct conf, name)
#define FOREIGN(name) { name, 0, CONF_MAX_WORDS, 0, take_foreign, 0, 0, 0 }

static const struct keyword keywords[] = {
    { "nodes", 1, 1, 1, take_number, FIELD(nodes), 1, BPROC_MAX_NODES },
    { "ip", 1, CONF_MAX_WORDS, 0, conf_take_ip, 0, 0, 0 },
    { "iprange", 2, 3, 0, conf_take_iprange, 0, 0, 0 },
    { "interface", 1, 3, 0, take_interface, 0, 0, 0 },
    { "bprocport", 1, 1, 1, take_number, FIELD(port), 1, 65535 },
    { "server", 2, 2, 0, take_server, 0, 0, 0 },
    { "dataport", 1, 1, 1, take_number, FIELD(data_port), 1, 65535 },
    { "pingtimeout", 1, 1, 1, take_number, FIELD(ping_timeout), 1, 86400 },
    { "orphantimeout", 1, 1, 1, take_number, FIELD(orphan_timeout), 1, 86400 * 30 },
    { "logfacility", 1, 1, 1, take_facility, 0, 0, 0 },
    { "io", 1, 1, 1, take_io, 0, 0, 0 },
    { "cachesize", 1, 1, 1, take_size, 0, 0, 0 },
    { "cachedir", 1, 1, 1, take_path, FIELD(cache_dir), 1, PATH_MAX - 1 },
    { "criu", 1, 1, 1, take_path, FIELD(criu), 1, PATH_MAX - 1 },
    { "nodeup", 1, 1, 1, take_path, FIELD(node_up), 1, PATH_MAX - 1 },
    { "nodeuptimeout", 1, 1, 1, take_number, FIELD(node_up_timeout), 1, 86400 },
    { "rebootcommand", 1, CONF_MAX_WORDS, 1, take_command, FIELD(reboot_command), 0, 0 },
    { "haltcommand", 1, CONF_MAX_WORDS, 1, take_command, FIELD(halt_command), 0, 0 },
    { "pwroffcommand", 1, CONF_MAX_WORDS, 1, take_command, FIELD(pwroff_command), 0, 0 },
    { "nodegroup", 2, 2, 0, conf_take_group, 0, 0, 0 },
    { "socket", 1, 1, 1, take_path, FIELD(socket), 1, SOCKET_PATH_MAX - 1 },
    { "statedir", 1, 1, 1, take_path, FIELD(state_dir), 1, PATH_MAX - 1 },
    { "rundir", 1, 1, 1, take_path, FIELD(run_dir), 1, PATH_MAX - 1 },
    { "logdir", 1, 1, 1, take_path, FIELD(log_dir), 1, PATH_MAX - 1 },
    FOREIGN("allowinsecureports"), FOREIGN("bootmodule"), FOREIGN("bootimage"),
    FOREIGN("kernelcommandline"), FOREIGN("kernelimage"), FOREIGN("initrdimage"),
    FOREIGN("insmod"), FOREIGN("modarg"), FOREIGN("modprobe"), FOREIGN("libraries"),
    FOREIGN("master"), FOREIGN("mcastport"), FOREIGN("mcastthrottle"), FOREIGN("mcastbcast"),
    FOREIGN("node"), FOREIGN("nodeassign"), FOREIGN("nodeupmaxclients"),
    FOREIGN("nodeupmaxworkers"), FOREIGN("nodeupworker"), FOREIGN("slave"),
    FOREIGN("fsck"), FOREIGN("mkfs"), FOREIGN("pci"), FOREIGN("bootport"),
    FOREIGN("host"), FOREIGN("masterdelay"), FOREIGN("masterorder"), FOREIGN("nodename"),
    FOREIGN("prestage"), FOREIGN("prestage_libs"), FOREIGN("pxebandwidth"),
    FOREIGN("pxefileserver"),
};
#define KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

_Static_assert(sizeof(keywords) / sizeof(keywords[0]) < 64, "a bit for each keyword");

/* Edits from one word to the other, for words of ordinary length. */
static unsigned words_distance(const char *a, const char *b)
{
    unsigned row[64];
    size_t width = strlen(b);

    if (width >= 64 || strlen(a) >= 64)
        return 64;
    for (size_t j = 0; j <= width; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; a[i - 1]; i++) {
        unsigned corner = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= width; j++) {
            unsigned above = row[j];
            unsigned best = corner + (a[i - 1] != b[j - 1]);

            best = above + 1 < best ? above + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            corner = above;
        }
    }
    return row[width];
}

static void unknown_complain(struct conf_parse *parse, const char *word)
{
    const char *nearest = NULL;
    unsigned best = 4;

    for (size_t i = 0; i < KEYWORDS; i++) {
        unsigned distance = words_distance(word, keywords[i].name);

        if (keywords[i].apply != take_foreign && distance < best && distance < strlen(word)) {
            best = distance;
            nearest = keywords[i].name;
        }
    }
    if (nearest)
        conf_error(parse, "unknown keyword `%s', is `%s' meant?", word, nearest);
    else
        conf_error(parse, "unknown keyword `%s'", word);
}

void conf_keyword(struct conf_parse *parse, char **words, int count)
{
    const struct keyword *keyword = NULL;
    size_t i;

    for (i = 0; i < KEYWORDS && !keyword; i++)
        if (strcmp(words[0], keywords[i].name) == 0)
            keyword = &keywords[i];
    if (!keyword) {
        unknown_complain(parse, words[0]);
        return;
    }
    if (count - 1 < keyword->least || count - 1 > keyword->most) {
        conf_error(parse, "%s: %d arguments, not %s %d", keyword->name, count - 1,
                   count - 1 < keyword->least ? "at least" : "at most",
                   count - 1 < keyword->least ? keyword->least : keyword->most);
        return;
    }
    if (keyword->single && (parse->seen & (1ULL << i)))
        conf_error(parse, "%s: given twice", keyword->name);
    parse->seen |= 1ULL << i;
    keyword->apply(parse, keyword, words + 1, count - 1);
}

void conf_check(struct conf_parse *parse)
{
    struct conf *conf = parse->conf;

    if (!conf->socket[0] && snprintf(conf->socket, sizeof(conf->socket), "%s/bproc.sock",
                                     conf->run_dir) >= SOCKET_PATH_MAX)
        conf_error(parse, "rundir: the path of the socket in it would be too long");
    for (unsigned i = 0; i < conf->nranges; i++) {
        long last = conf->ranges[i].node + (long)(conf->ranges[i].last - conf->ranges[i].first);

        if (conf->nodes == 0 && last >= BPROC_MAX_NODES)
            conf_error(parse, "node %ld is beyond the highest number %d", last,
                       BPROC_MAX_NODES - 1);
        else if (conf->nodes > 0 && last >= conf->nodes)
            conf_error(parse, "an address is given to node %ld, but there are only %d nodes", last,
                       conf->nodes);
    }
}
