/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "tools/bpctl_config.h"
#include "tools/json.h"
#include "tools/tool.h"

/* Where a keyword goes: a line of text, or a member of an object. */
struct show {
    struct json *json;          /* NULL: text */
};

/* As one argument, whatever is in it. */
static void argument_print(const char *text)
{
    putchar('"');
    for (; *text; text++)
        printf(*text == '"' || *text == '\'' ? "\\%c" : "%c", *text);
    putchar('"');
}

static void show_text(struct show *show, const char *keyword, const char *value)
{
    if (show->json)
        json_string(show->json, keyword, value);
    else if (*value && !strpbrk(value, " \t'\""))
        printf("%s %s\n", keyword, value);
    else if (*value) {
        printf("%s ", keyword);
        argument_print(value);
        putchar('\n');
    }
}

/* Words without quotes read back as they are, as long as one blank is between them. */
static void show_command(struct show *show, const char *keyword, const char *value)
{
    if (show->json || strpbrk(value, "\t'\"") || strstr(value, "  "))
        show_text(show, keyword, value);
    else if (*value)
        printf("%s %s\n", keyword, value);
}

static void show_number(struct show *show, const char *keyword, uint64_t value)
{
    if (show->json)
        json_int(show->json, keyword, (int64_t)value);
    else
        printf("%s %" PRIu64 "\n", keyword, value);
}

static const char *address(uint32_t addr, char text[INET_ADDRSTRLEN])
{
    struct in_addr in = { .s_addr = htonl(addr) };

    return inet_ntop(AF_INET, &in, text, INET_ADDRSTRLEN);
}

static void ranges_show(struct show *show, const struct conf *conf)
{
    char first[INET_ADDRSTRLEN], last[INET_ADDRSTRLEN];

    if (show->json)
        json_list(show->json, "addresses");
    for (unsigned i = 0; i < conf->nranges; i++) {
        const struct conf_range *range = &conf->ranges[i];

        address(range->first, first);
        address(range->last, last);
        if (show->json) {
            json_object(show->json, NULL);
            json_int(show->json, "node", range->node);
            json_string(show->json, "first", first);
            json_string(show->json, "last", last);
            json_close(show->json);
        } else if (range->first == range->last) {
            printf("ip %d %s\n", range->node, first);
        } else {
            printf("iprange %d %s %s\n", range->node, first, last);
        }
    }
    if (show->json)
        json_close(show->json);
}

static void lists_show(struct show *show, const struct conf *conf)
{
    if (show->json)
        json_list(show->json, "interfaces");
    for (unsigned i = 0; i < conf->ninterfaces; i++)
        show_text(show, show->json ? NULL : "interface", conf->interfaces[i]);
    if (show->json) {
        json_close(show->json);
        json_object(show->json, "nodegroups");
    }
    for (unsigned i = 0; i < conf->ngroups; i++) {
        if (show->json) {
            json_string(show->json, conf->groups[i].name, conf->groups[i].spec);
        } else {
            printf("nodegroup @%s ", conf->groups[i].name);
            argument_print(conf->groups[i].spec);
            putchar('\n');
        }
    }
    if (show->json)
        json_close(show->json);
}

static void conf_show(struct show *show, const struct conf *conf)
{
    if (conf->nodes > 0)
        show_number(show, "nodes", (uint64_t)conf->nodes);
    ranges_show(show, conf);
    lists_show(show, conf);
    show_number(show, "bprocport", (uint64_t)conf->port);
    show_number(show, "dataport", (uint64_t)conf->data_port);
    show_number(show, "pingtimeout", (uint64_t)conf->ping_timeout);
    show_number(show, "orphantimeout", (uint64_t)conf->orphan_timeout);
    show_text(show, "io", conf->io_direct ? "direct" : "tls");
    show_text(show, "criu", conf->criu);
    show_text(show, "nodeup", conf->node_up);
    show_number(show, "nodeuptimeout", (uint64_t)conf->node_up_timeout);
    show_command(show, "rebootcommand", conf->reboot_command);
    show_command(show, "haltcommand", conf->halt_command);
    show_command(show, "pwroffcommand", conf->pwroff_command);
    show_number(show, "cachesize", conf->cache_size);
    show_text(show, "cachedir", conf->cache_dir);
    show_text(show, "rundir", conf->run_dir);
    show_text(show, "socket", conf->socket);
    show_text(show, "statedir", conf->state_dir);
    show_text(show, "logdir", conf->log_dir);
}

static void complain(void *arg, int is_error, const char *line)
{
    (void)arg;
    fprintf(stderr, "%s%s\n", is_error ? "" : "warning: ", line);
}

static struct conf *config_load(const char *path)
{
    struct conf *conf = NULL;
    int error = conf_load(path, complain, NULL, &conf);

    if (error && error != -EINVAL)
        errx(1, "cannot read %s: %s", path, strerror(-error));
    if (error || conf_check_groups(conf, path, complain, NULL) < 0)
        exit(1);
    return conf;
}

static void config_print(const struct conf *conf, bool as_json)
{
    struct json json;
    struct show show = { .json = as_json ? &json : NULL };

    if (as_json)
        json_begin(&json, stdout);
    conf_show(&show, conf);
    if (as_json)
        json_end(&json);
}

int config_run(int argc, char **argv)
{
    static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
    const char *verb = argc > 1 ? argv[1] : "";
    bool shows = strcmp(verb, "show") == 0, as_json = false;
    const char *path = BPROC_CONFIG_FILE;
    struct conf *conf;
    int option;

    if (!shows && strcmp(verb, "check") != 0)
        errx(1, "'%s' is no verb of 'config'; 'check' and 'show' are", verb);
    argv[1] = program_invocation_short_name;
    while ((option = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1) {
        if (option != 'j' || !shows)
            exit(1);
        as_json = true;
    }
    argv += optind + 1;
    if (argv[0] && argv[1])
        errx(1, "'%s' is one argument too many", argv[1]);
    if (argv[0])
        path = argv[0];
    conf = config_load(path);
    if (shows)
        config_print(conf, as_json);
    else
        printf("%s: good\n", path);
    tool_flush(1);
    conf_free(conf);
    return 0;
}
