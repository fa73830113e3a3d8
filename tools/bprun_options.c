/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nodeset.h"
#include "tools/bprun_options.h"
#include "tools/tool.h"

static const char usage_text[] =
    "usage: bprun [OPTION]... COMMAND [ARGUMENT]...\n"
    "       bpmap [OPTION]...\n"
    "Runs COMMAND where there is least to do; bpmap only says where that is.\n"
    "  --np N          N processes [1]\n"
    "  --all-cpus, --allcpus  one for each CPU of the nodes that are up\n"
    "  --all-nodes     one for each node that is up\n"
    "  --map LIST      one for each node of LIST, -1:4:5 or n[0-3]\n"
    "  --all-local     on the master only\n"
    "  --no-local, --nolocal  never on the master\n"
    "  --exclude LIST  not on these nodes\n"
    "  --fanout N      so many at the same time [all; as mpprun 1]\n"
    "  -n              no input: stdin of the command is empty\n"
    "  -p, --prefix    put the node's number in front of each line\n"
    "  --dry-run       print the map, as bpmap does\n"
    "  -h, --help, -u, --usage  print this text\n"
    "  -V, --version   print the release\n"
    "NP, ALL_CPUS, ALL_NODES, ALL_LOCAL, NO_LOCAL, BEOWULF_JOB_MAP and EXCLUDE in the\n"
    "environment stand in for options that are not given.\n";

enum {
    OPT_NP = 256, OPT_ALL_CPUS, OPT_ALL_NODES, OPT_MAP, OPT_ALL_LOCAL, OPT_NO_LOCAL, OPT_EXCLUDE,
    OPT_FANOUT, OPT_DRY_RUN
};

/* With one dash they are understood as well. */
static const struct option long_options[] = {
    { "np", required_argument, NULL, OPT_NP },
    { "all-cpus", no_argument, NULL, OPT_ALL_CPUS },
    { "allcpus", no_argument, NULL, OPT_ALL_CPUS },
    { "all-nodes", no_argument, NULL, OPT_ALL_NODES },
    { "map", required_argument, NULL, OPT_MAP },
    { "all-local", no_argument, NULL, OPT_ALL_LOCAL },
    { "no-local", no_argument, NULL, OPT_NO_LOCAL },
    { "nolocal", no_argument, NULL, OPT_NO_LOCAL },
    { "exclude", required_argument, NULL, OPT_EXCLUDE },
    { "fanout", required_argument, NULL, OPT_FANOUT },
    { "dry-run", no_argument, NULL, OPT_DRY_RUN }, { "prefix", no_argument, NULL, 'p' },
    { "help", no_argument, NULL, 'h' }, { "usage", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' }, { 0 }
};

static size_t number_read(const char *text, const char *what)
{
    char *end;
    unsigned long number;

    errno = 0;
    number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number == 0 || number > NODESET_MAX)
        errx(1, "'%s' is no number of processes for %s (1 to %d)", text, what, NODESET_MAX);
    return number;
}

/* How many processes and where is said once. */
static void amount_set(struct options *options, const char **said, const char *name,
                       enum run_amount amount)
{
    if (*said)
        errx(1, "%s and %s exclude each other", *said, name);
    *said = name;
    options->amount = amount;
}

static void option_set(struct options *options, const char **said, int option)
{
    switch (option) {
    case OPT_NP:
        amount_set(options, said, "--np", AMOUNT_COUNT);
        options->processes = number_read(optarg, "--np");
        break;
    case OPT_MAP:
        amount_set(options, said, "--map", AMOUNT_MAP);
        options->map = optarg;
        break;
    case OPT_ALL_CPUS: amount_set(options, said, "--all-cpus", AMOUNT_CPUS); break;
    case OPT_ALL_NODES: amount_set(options, said, "--all-nodes", AMOUNT_NODES); break;
    case OPT_ALL_LOCAL: options->all_local = true; break;
    case OPT_NO_LOCAL: options->no_local = true; break;
    case OPT_EXCLUDE: options->exclude = optarg; break;
    case OPT_FANOUT: options->fanout = number_read(optarg, "--fanout"); break;
    case OPT_DRY_RUN: options->map_only = true; break;
    case 'n': options->no_input = true; break;
    case 'p': options->prefix = true; break;
    case 'h':
    case 'u': tool_usage(usage_text, 0, 1);
    case 'V': tool_version(1);
    default: errx(1, "%s --help tells more", program_invocation_short_name);
    }
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static bool variable_set(const char *name)
{
    const char *value = variable(name);

    return value && strcmp(value, "0") != 0;
}

/* What the command line leaves open. */
static void environment_read(struct options *options, const char *said)
{
    bool open = !said;

    if (open && variable("NP")) {
        amount_set(options, &said, "NP", AMOUNT_COUNT);
        options->processes = number_read(variable("NP"), "NP");
    }
    if (open && variable_set("ALL_CPUS"))
        amount_set(options, &said, "ALL_CPUS", AMOUNT_CPUS);
    if (open && variable_set("ALL_NODES"))
        amount_set(options, &said, "ALL_NODES", AMOUNT_NODES);
    if (open && variable("BEOWULF_JOB_MAP")) {
        amount_set(options, &said, "BEOWULF_JOB_MAP", AMOUNT_MAP);
        options->map = variable("BEOWULF_JOB_MAP");
    }
    if (!options->all_local && !options->no_local) {
        options->all_local = variable_set("ALL_LOCAL");
        options->no_local = variable_set("NO_LOCAL");
    }
    if (!options->exclude)
        options->exclude = variable("EXCLUDE");
}

static void options_check(const struct options *options)
{
    bool elsewhere = options->amount == AMOUNT_NODES || options->amount == AMOUNT_MAP;

    if (options->all_local && options->no_local)
        errx(1, "--all-local and --no-local exclude each other");
    if (options->all_local && elsewhere)
        errx(1, "--all-local goes with --np and --all-cpus only");
    if (!options->map_only && !*options->args) {
        warnx("no command given; %s --help tells more", program_invocation_short_name);
        exit(2);
    }
    if (options->map_only && *options->args && strstr(program_invocation_short_name, "map"))
        errx(1, "'%s': %s runs no command", *options->args, program_invocation_short_name);
}

static bool called(const char *name, const char *other)
{
    return strcmp(program_invocation_short_name, name) == 0 ||
           strcmp(program_invocation_short_name, other) == 0;
}

void options_read(struct options *options, int argc, char **argv)
{
    const char *said = NULL;
    int option;

    *options = (struct options) { .processes = 1, .map_only = called("bpmap", "beomap"),
                                  .fanout = called("mpprun", "mpprun") ? 1 : 0 };
    while ((option = getopt_long_only(argc, argv, "+nphuV", long_options, NULL)) != -1)
        option_set(options, &said, option);
    options->args = argv + optind;
    environment_read(options, said);
    options_check(options);
}
