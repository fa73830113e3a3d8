/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpstat: nodes and remote processes, as the daemon knows them now. Reads its arguments, chooses
 * nodes and hands them to one of the forms.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/bpstat_proc.h"
#include "tools/bpstat_table.h"
#include "tools/nodespec.h"
#include "tools/tool.h"

struct options {
    enum table_form form;
    enum table_order order;
    bool reverse, processes, filter, update;
    const char *host;
    char **specs;
};

static const char usage_text[] =
    "usage: bpstat [OPTION]... [NODES]...\n"
    "Shows NODES (3, 0-5, allup, 1,4,7-), or all of them.\n"
    "  -c, --compact        a line for nodes that are alike (default)\n"
    "  -l, --long           a line for each node, with its address\n"
    "  -a, --address        the addresses alone\n"
    "  -s, --status         the states alone\n"
    "  -n, --number         the numbers alone\n"
    "  -t, --total          how many they are\n"
    "  -R, --sort-reverse   the other way round\n"
    "  -N, --sort-number    ordered by number\n"
    "  -S, --sort-status    ordered by state\n"
    "  -O, --keep-order     in the order given\n"
    "  -U, --update         again at every change, until interrupted\n"
    "  -A, --node-of HOST   the number of the node with that name or address\n"
    "  -p, --processes      remote processes and their nodes\n"
    "  -P, --ps             put the node in front of each line of ps(1) from stdin\n"
    "  -h, --help           print this text\n"
    "  -V, -v, --version    print the release\n";

static const struct option long_options[] = {
    { "compact", no_argument, NULL, 'c' }, { "long", no_argument, NULL, 'l' },
    { "address", no_argument, NULL, 'a' }, { "status", no_argument, NULL, 's' },
    { "number", no_argument, NULL, 'n' }, { "total", no_argument, NULL, 't' },
    { "sort-reverse", no_argument, NULL, 'R' }, { "sort-number", no_argument, NULL, 'N' },
    { "sort-status", no_argument, NULL, 'S' }, { "keep-order", no_argument, NULL, 'O' },
    { "update", no_argument, NULL, 'U' }, { "node-of", required_argument, NULL, 'A' },
    { "processes", no_argument, NULL, 'p' }, { "ps", no_argument, NULL, 'P' },
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { 0 }
};

static void option_set(struct options *options, int option)
{
    switch (option) {
    case 'c': options->form = FORM_COMPACT; break;
    case 'l': options->form = FORM_LONG; break;
    case 'a': options->form = FORM_ADDRESS; break;
    case 's': options->form = FORM_STATUS; break;
    case 'n': options->form = FORM_NUMBER; break;
    case 't': options->form = FORM_TOTAL; break;
    case 'R': options->reverse = true; break;
    case 'N': options->order = ORDER_NUMBER; break;
    case 'S': options->order = ORDER_STATUS; break;
    case 'O': options->order = ORDER_KEEP; break;
    case 'U': options->update = true; break;
    case 'A': options->host = optarg; break;
    case 'p': options->processes = true; break;
    case 'P': options->filter = true; break;
    case 'h': tool_usage(usage_text, 0);
    case 'v':
    case 'V': tool_version();
    default: exit(1);
    }
}

static void options_read(struct options *options, int argc, char **argv)
{
    int option;

    *options = (struct options) { 0 };
    while ((option = getopt_long(argc, argv, "clasntRNSOUA:pPhvV", long_options, NULL)) != -1)
        option_set(options, option);
    options->specs = argv + optind;
}

/* Nodes that the words denote; each must be configured. */
static void nodes_choose(struct nodeset *chosen, char **specs, const struct tool_nodes *table)
{
    static char all[] = "all";
    static char *everything[] = { all, NULL };
    char text[512];

    for (char **spec = *specs ? specs : everything; *spec; spec++)
        if (nodespec_add(chosen, *spec, table, text, sizeof(text)) < 0)
            errx(1, "%s", text);
    for (size_t i = 0; i < chosen->count; i++)
        if (chosen->nodes[i] != BPROC_NODE_MASTER && !tool_nodes_find(table, chosen->nodes[i]))
            errx(1, "%d: %s", chosen->nodes[i], bproc_strerror(BE_INVALIDNODE));
}

static void info_load(struct bproc_node_info_t *info, int node, const struct tool_nodes *table)
{
    const struct bproc_node_info_t *found = tool_nodes_find(table, node);

    if (found)
        *info = *found;
    else if (bproc_nodeinfo(node, info) < 0)
        errx(1, "%d: %s", node, tool_reason(errno));
}

static int window_width(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static void nodes_show(const struct options *options)
{
    struct nodeset chosen = { 0 };
    struct bproc_node_info_t *infos;
    struct tool_nodes table;

    tool_nodes_load(&table);
    nodes_choose(&chosen, options->specs, &table);
    infos = calloc(chosen.count + 1, sizeof(*infos));
    if (!infos)
        errx(1, "cannot show %zu nodes: %s", chosen.count, strerror(ENOMEM));
    for (size_t i = 0; i < chosen.count; i++)
        info_load(&infos[i], chosen.nodes[i], &table);
    table_sort(infos, chosen.count, options->form, options->order, options->reverse);
    table_print(infos, chosen.count, options->form, window_width());
    free(infos);
    nodeset_free(&chosen);
    tool_nodes_free(&table);
}

/* Shows the nodes again whenever something has changed; ends with the daemon. */
static void nodes_watch(const struct options *options)
{
    int fd = bproc_notifier();
    char bytes[256];

    if (fd < 0)
        errx(1, "cannot watch the nodes: %s", tool_reason(errno));
    do {
        if (isatty(STDOUT_FILENO))
            fputs("\033[H\033[J", stdout);
        nodes_show(options);
        fflush(stdout);
    } while (read(fd, bytes, sizeof(bytes)) > 0);
    errx(1, "cannot watch the nodes: the daemon went away");
}

static void processes_show(const struct options *options)
{
    struct nodeset chosen = { 0 };
    struct tool_nodes table;
    int error;

    if (*options->specs) {
        tool_nodes_load(&table);
        nodes_choose(&chosen, options->specs, &table);
        tool_nodes_free(&table);
        if (chosen.count == 0)
            exit(0);
    }
    error = proc_print(chosen.nodes, chosen.count);
    if (error)
        errx(1, "cannot list the processes: %s", tool_reason(-error));
    nodeset_free(&chosen);
}

static int host_resolve(const char *host)
{
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    int node = bproc_getnodebyname(host);

    if (node != BPROC_NODE_NONE || errno == EBUSY)
        return node;
    if (getaddrinfo(host, NULL, &hints, &found) != 0) {
        errno = 0;
        return BPROC_NODE_NONE;
    }
    for (struct addrinfo *at = found; at && node == BPROC_NODE_NONE; at = at->ai_next)
        node = bproc_nodenumber(at->ai_addr, (int)at->ai_addrlen);
    freeaddrinfo(found);
    return node;
}

static void host_show(const char *host)
{
    int node = host_resolve(host);

    if (node == BPROC_NODE_NONE)
        errx(1, "%s: %s", host, errno ? tool_reason(errno) : "no node has that name or address");
    printf("%d\n", node);
}

int main(int argc, char **argv)
{
    struct options options;
    int error = 0;

    options_read(&options, argc, argv);
    if (options.host)
        host_show(options.host);
    else if (options.filter)
        error = proc_filter();
    else if (options.processes)
        processes_show(&options);
    else if (options.update)
        nodes_watch(&options);
    else
        nodes_show(&options);
    if (error == -EINVAL)
        errx(1, "cannot find a column PID in the first line of stdin");
    if (error)
        errx(1, "cannot list the processes: %s", tool_reason(-error));
    if (fflush(stdout) != 0)
        err(1, "cannot write stdout");
    return 0;
}
