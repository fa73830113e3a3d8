/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bplib: the library list, by which mapped files of processes count as libraries. The last option
 * counts; what follows are names, and `-` stands for those on standard input, a line each.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/json.h"
#include "tools/tool.h"

enum { OPTION_JSON = 256 };

static const char usage_text[] =
    "usage: bplib -c | -l [--json]\n"
    "       bplib -a|-d NAME...\n"
    "The library list: mapped files that match an entry are expected on nodes, not sent.\n"
    "  -c, --clear        empty the list\n"
    "  -a, --add          add files, or patterns that begin with / or *\n"
    "  -d, --delete       delete entries\n"
    "  -l, --list         print the entries, a line each\n"
    "  --json             print them as JSON\n"
    "  -h, --help         print this text\n"
    "  -V, -v, --version  print the release\n"
    "NAME - stands for the names on standard input, a line each.\n";

static const struct option long_options[] = {
    { "clear", no_argument, NULL, 'c' }, { "add", no_argument, NULL, 'a' },
    { "delete", no_argument, NULL, 'd' }, { "list", no_argument, NULL, 'l' },
    { "json", no_argument, NULL, OPTION_JSON }, { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' }, { 0 }
};

typedef int change_fn(const char *name);

/* 1 when it failed. */
static int name_change(change_fn *change, const char *name)
{
    if (change(name) == 0)
        return 0;
    fprintf(stderr, "%s: %s\n", name,
            errno == ENOENT ? "not in the library list" : tool_reason(errno));
    return 1;
}

static int input_change(change_fn *change)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    int failed = 0;

    while ((len = getline(&line, &room, stdin)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (*line)
            failed |= name_change(change, line);
    }
    free(line);
    if (ferror(stdin))
        err(1, "cannot read names");
    return failed;
}

static int names_change(change_fn *change, char **names)
{
    int failed = 0;

    if (!*names)
        errx(1, "no names; bplib --help tells more");
    for (; *names; names++)
        failed |= strcmp(*names, "-") == 0 ? input_change(change) : name_change(change, *names);
    return failed;
}

static void list_print_json(const char *list)
{
    struct json json;

    json_begin(&json, stdout);
    json_list(&json, "libraries");
    for (; *list; list += strlen(list) + 1)
        json_string(&json, NULL, list);
    json_close(&json);
    json_end(&json);
}

static int list_print(bool as_json)
{
    char *list;

    if (bproc_liblist(&list) < 0)
        errx(1, "cannot list the libraries: %s", tool_reason(errno));
    if (as_json)
        list_print_json(list);
    for (const char *at = list; !as_json && *at; at += strlen(at) + 1)
        puts(at);
    free(list);
    tool_flush(1);
    return 0;
}

static int list_clear(void)
{
    if (bproc_libclear() < 0)
        errx(1, "cannot empty the library list: %s", tool_reason(errno));
    return 0;
}

int main(int argc, char **argv)
{
    int option, what = 0;
    bool as_json = false;

    while ((option = getopt_long(argc, argv, "acdlhvV", long_options, NULL)) != -1) {
        switch (option) {
        case OPTION_JSON: as_json = true; break;
        case 'h': tool_usage(usage_text, 0, 1);
        case 'v':
        case 'V': tool_version(1);
        case '?': exit(1);
        default: what = option;
        }
    }
    if ((what == 'c' || what == 'l') && optind < argc)
        errx(1, "'%s' is one argument too many", argv[optind]);
    switch (what) {
    case 'a': return names_change(bproc_libadd, argv + optind);
    case 'd': return names_change(bproc_libdel, argv + optind);
    case 'c': return list_clear();
    case 'l': return list_print(as_json);
    default: errx(1, "nothing to do; bplib --help tells more");
    }
}
