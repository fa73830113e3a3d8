/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bpstat_options.h"
#include "tools/tool.h"

enum { LONG_JSON = 256, LONG_PROMETHEUS, LONG_HOSTFILE, LONG_HOSTS, LONG_NODESET, LONG_GROUPS,
       LONG_COLOR };

static const char usage_text[] =
    "usage: bpstat [OPTION]... [NODES]...\n"
    "Shows NODES (3, 0-5, n[0-3,7], allup, @group, !7), or all of them.\n"
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
    "  -L, --lock           ignore the keys that interrupt and suspend\n"
    "  -A, --node-of HOST   the number of the node with that name or address\n"
    "  -p, --processes      remote processes and their nodes\n"
    "  -P, --ps             put the node in front of each line of ps(1) from stdin\n"
    "      --json           an object for programs; with -p of processes\n"
    "      --prometheus     metrics, as Prometheus reads them\n"
    "      --hostfile[=FOR]  a host file for mpirun: ompi (default) or hydra\n"
    "      --hosts          lines for /etc/hosts\n"
    "      --nodeset        the names in short: n[0-3,7]; -a stands for all nodes\n"
    "      --groups         the groups and states that all of NODES are in, or any\n"
    "      --color WHEN     auto (default), always or never\n"
    "  -h, --help           print this text\n"
    "  -V, -v, --version    print the release\n";

static const struct option long_options[] = {
    { "compact", no_argument, NULL, 'c' }, { "long", no_argument, NULL, 'l' },
    { "address", no_argument, NULL, 'a' }, { "status", no_argument, NULL, 's' },
    { "number", no_argument, NULL, 'n' }, { "total", no_argument, NULL, 't' },
    { "sort-reverse", no_argument, NULL, 'R' }, { "sort-number", no_argument, NULL, 'N' },
    { "sort-status", no_argument, NULL, 'S' }, { "keep-order", no_argument, NULL, 'O' },
    { "update", no_argument, NULL, 'U' }, { "lock", no_argument, NULL, 'L' },
    { "node-of", required_argument, NULL, 'A' }, { "processes", no_argument, NULL, 'p' },
    { "ps", no_argument, NULL, 'P' }, { "json", no_argument, NULL, LONG_JSON },
    { "prometheus", no_argument, NULL, LONG_PROMETHEUS },
    { "hostfile", optional_argument, NULL, LONG_HOSTFILE },
    { "hosts", no_argument, NULL, LONG_HOSTS }, { "nodeset", no_argument, NULL, LONG_NODESET },
    { "groups", no_argument, NULL, LONG_GROUPS }, { "color", required_argument, NULL, LONG_COLOR },
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { 0 }
};


static void hostfile_set(struct options *options, const char *form)
{
    options->output = OUTPUT_HOSTFILE;
    options->hydra = form && strcmp(form, "hydra") == 0;
    if (form && !options->hydra && strcmp(form, "ompi") != 0)
        errx(1, "--hostfile: '%s' is not ompi or hydra", form);
}

static void long_set(struct options *options, int option)
{
    switch (option) {
    case LONG_JSON: options->output = OUTPUT_JSON; break;
    case LONG_PROMETHEUS: options->output = OUTPUT_PROMETHEUS; break;
    case LONG_HOSTFILE: hostfile_set(options, optarg); break;
    case LONG_HOSTS: options->output = OUTPUT_HOSTS; break;
    case LONG_NODESET: options->output = OUTPUT_NODESET; break;
    case LONG_GROUPS: options->output = OUTPUT_GROUPS; break;
    case LONG_COLOR: tool_color_set(optarg); break;
    default: exit(1);
    }
}

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
    case 'L': options->lock = true; break;
    case 'A':
        options->output = OUTPUT_NODE_OF;
        options->host = optarg;
        break;
    case 'p': options->processes = true; break;
    case 'P': options->output = OUTPUT_FILTER; break;
    case 'h': tool_usage(usage_text, 0, 1);
    case 'v':
    case 'V': tool_version(1);
    default: long_set(options, option);
    }
}

void options_read(struct options *options, int argc, char **argv)
{
    int option;

    *options = (struct options) { 0 };
    while ((option = getopt_long(argc, argv, "clasntRNSOULA:pPhvV", long_options, NULL)) != -1)
        option_set(options, option);
    options->specs = argv + optind;
    options->processes = options->processes &&
                         (options->output == OUTPUT_TABLE || options->output == OUTPUT_JSON);
}
