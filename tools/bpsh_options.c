/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/nodeset.h"
#include "tools/bpsh_options.h"
#include "tools/tool.h"

#define LONGEST_BUFFER (16 * 1024 * 1024)
#define LONGEST_SECONDS 1000000

static const char usage_text[] =
    "usage: bpsh [OPTION]... NODES COMMAND [ARGUMENT]...\n"
    "       bpsh [OPTION]... -a|-A|-1|-w NODES COMMAND [ARGUMENT]...\n"
    "Runs COMMAND on NODES (3, 0-5, n[0-3,7], allup, @group, ^file, master).\n"
    "Nodes:\n"
    "  -a             all nodes that are up\n"
    "  -A             all nodes that are not down\n"
    "  -1             the master\n"
    "  -w, --nodes NODES        these; may be repeated\n"
    "  -x, --exclude NODES      not these; may be repeated\n"
    "  -f, --fanout N           on so many at the same time [all]\n"
    "Input:\n"
    "  -n             no input: stdin of the command is empty\n"
    "  -N             no input and no output\n"
    "  -I, --stdin FILE         read FILE on the node instead\n"
    "  --pty                    on a terminal, on one node\n"
    "Output:\n"
    "  -O, --stdout FILE        write FILE on the node instead\n"
    "  -E, --stderr FILE        write FILE on the node instead\n"
    "  --outdir DIR             write DIR/n0.out, DIR/n0.err, ... here instead\n"
    "  -L             line by line: lines of different nodes do not mix\n"
    "  -p             put the node's number in front of each line\n"
    "  --label                  put the node's name in front of each line\n"
    "  -s             output of one node after the other\n"
    "  -d             the same, with a divider in front of each node's\n"
    "  -b BYTES       longest line for -L, -p and --label [4096]\n"
    "  -c, --collect            once for all nodes that have the same output\n"
    "  --diff                   what differs from the output that most nodes have\n"
    "  --json                   all results as one JSON object\n"
    "  --color WHEN             auto, always or never [auto]\n"
    "  --progress               show how many nodes are done, on a terminal\n"
    "  -t, --time               print the elapsed seconds at the end, to stderr\n"
    "Limits and status:\n"
    "  --connect-timeout SECONDS    give up nodes that have not started by then [none]\n"
    "  --timeout SECONDS        end what runs longer: SIGTERM, 5 s later SIGKILL [none]\n"
    "  -S, --status             count deaths by signal as 128 + the signal, failures as 255\n"
    "  --no-rc                  exit with 0 whatever the command's status is\n"
    "  --dry-run                print what would run\n"
    "  -l USER        accepted and ignored\n"
    "  -h             print this text and fail\n"
    "  --help                   print this text\n"
    "  -v, --version            print the release\n";

enum long_only {
    OPT_PTY = 256, OPT_OUTDIR, OPT_LABEL, OPT_DIFF, OPT_JSON, OPT_COLOR, OPT_PROGRESS,
    OPT_CONNECT, OPT_TIMEOUT, OPT_NO_RC, OPT_DRY_RUN, OPT_HELP
};

static const struct option long_options[] = {
    { "nodes", required_argument, NULL, 'w' }, { "exclude", required_argument, NULL, 'x' },
    { "fanout", required_argument, NULL, 'f' }, { "stdin", required_argument, NULL, 'I' },
    { "stdout", required_argument, NULL, 'O' }, { "stderr", required_argument, NULL, 'E' },
    { "collect", no_argument, NULL, 'c' }, { "time", no_argument, NULL, 't' },
    { "status", no_argument, NULL, 'S' }, { "help", no_argument, NULL, OPT_HELP },
    { "version", no_argument, NULL, 'v' }, { "pty", no_argument, NULL, OPT_PTY },
    { "outdir", required_argument, NULL, OPT_OUTDIR }, { "label", no_argument, NULL, OPT_LABEL },
    { "diff", no_argument, NULL, OPT_DIFF }, { "json", no_argument, NULL, OPT_JSON },
    { "color", required_argument, NULL, OPT_COLOR },
    { "progress", no_argument, NULL, OPT_PROGRESS },
    { "connect-timeout", required_argument, NULL, OPT_CONNECT },
    { "timeout", required_argument, NULL, OPT_TIMEOUT },
    { "no-rc", no_argument, NULL, OPT_NO_RC }, { "dry-run", no_argument, NULL, OPT_DRY_RUN },
    { 0 }
};

static size_t number_read(const char *text, size_t most, const char *what)
{
    char *end;
    unsigned long number;

    errno = 0;
    number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number == 0 || number > most)
        errx(1, "'%s' is no %s (1 to %zu)", text, what, most);
    return number;
}

/* Milliseconds; 0 stands for no limit. */
/* `where`: what to add to the message. */
static int64_t seconds_read(const char *text, const char *where)
{
    char *end;
    double seconds = strtod(text, &end);

    if (*text < '0' || *text > '9' || *end || !(seconds <= LONGEST_SECONDS))
        errx(1, "'%s' is no time limit%s (seconds, 0 to %d)", text, where, LONGEST_SECONDS);
    return (int64_t)(seconds * 1000 + 0.999);
}

static void spec_set(struct options *options, const char *spec)
{
    if (options->spec)
        errx(1, "nodes are given twice: '%s' and '%s'", options->spec, spec);
    options->spec = options->specs[options->nspecs++] = spec;
}

static void option_set(struct options *options, int option)
{
    switch (option) {
    case 'a': spec_set(options, "allup"); break;
    case 'A': spec_set(options, "allnotdown"); break;
    case '1': spec_set(options, "master"); break;
    case 'w': options->specs[options->nspecs++] = optarg; break;
    case 'x': options->excluded[options->nexcluded++] = optarg; break;
    case 'f': options->fanout = number_read(optarg, NODESET_MAX, "number of nodes"); break;
    case 'n': options->no_input = true; break;
    case 'N': options->no_io = true; break;
    case 'I': options->files.in = optarg; break;
    case 'O': options->files.out = optarg; break;
    case 'E': options->files.err = optarg; break;
    case 'p': options->prefix = options->lines = true; break;
    case OPT_LABEL: options->label = options->lines = true; break;
    case 'L': options->lines = true; break;
    case 'd': options->divider = options->sequential = true; break;
    case 's': options->sequential = true; break;
    case 'b': options->buffer = number_read(optarg, LONGEST_BUFFER, "buffer size"); break;
    case 'c': options->collect = true; break;
    case OPT_DIFF: options->diff = true; break;
    case OPT_JSON: options->json = true; break;
    case OPT_OUTDIR: options->outdir = optarg; break;
    case OPT_COLOR: tool_color_set(optarg); break;
    case OPT_PROGRESS: options->progress = true; break;
    case OPT_CONNECT: options->connect_ms = seconds_read(optarg, ""); break;
    case OPT_TIMEOUT: options->run_ms = seconds_read(optarg, ""); break;
    case 'S': options->rules = RULES_STRICT; break;
    case OPT_NO_RC: options->rules = RULES_NONE; break;
    case OPT_DRY_RUN: options->dry_run = true; break;
    case OPT_PTY: options->pty = true; break;
    case 't': options->time = true; break;
    case 'l': break;
    case 'h': tool_usage(usage_text, 1, 1);
    case OPT_HELP: tool_usage(usage_text, 0, 1);
    case 'v': tool_version(1);
    default: exit(1);
    }
}

/* Options that cannot be told on each call may stand in the environment. */
static void environment_read(struct options *options)
{
    const char *fanout = getenv("BPROC_FANOUT"), *run = getenv("BPROC_TIMEOUT");
    const char *start = getenv("BPROC_CONNECT_TIMEOUT");

    if (fanout && *fanout)
        options->fanout = number_read(fanout, NODESET_MAX, "number of nodes in BPROC_FANOUT");
    if (run && *run)
        options->run_ms = seconds_read(run, " in BPROC_TIMEOUT");
    if (start && *start)
        options->connect_ms = seconds_read(start, " in BPROC_CONNECT_TIMEOUT");
}

/* Where the output goes is decided once. */
static void output_check(const struct options *options)
{
    const char *names[5];
    size_t count = 0;

    if (options->collect)
        names[count++] = "--collect";
    if (options->diff)
        names[count++] = "--diff";
    if (options->json)
        names[count++] = "--json";
    if (options->outdir)
        names[count++] = "--outdir";
    if (options->sequential)
        names[count++] = options->divider ? "-d" : "-s";
    if (options->pty && options->no_io)
        errx(1, "--pty and -N exclude each other");
    if (count > 1)
        errx(1, "%s and %s exclude each other", names[0], names[1]);
}

/* Is the next word a node specification that looks like an option, as "-1,0"? */
static bool spec_next(const struct options *options, const char *word)
{
    return options->nspecs == 0 && word[0] == '-' && word[1] >= '0' && word[1] <= '9';
}

static void words_read(struct options *options, int argc, char **argv)
{
    while (optind < argc) {
        int option;

        if (spec_next(options, argv[optind])) {
            spec_set(options, argv[optind++]);
            continue;
        }
        option = getopt_long(argc, argv, "+aA1w:x:f:nNLpsdb:cI:O:E:tSl:hv", long_options, NULL);
        if (option != -1)
            option_set(options, option);
        else if (options->nspecs == 0 && optind < argc)
            spec_set(options, argv[optind++]);
        else
            break;
    }
    options->args = argv + optind;
}

void options_read(struct options *options, int argc, char **argv)
{
    *options = (struct options) { .buffer = 4096 };
    options->specs = calloc(2 * (size_t)argc, sizeof(*options->specs));
    if (!options->specs)
        err(1, "cannot read the command line");
    options->excluded = options->specs + argc;
    environment_read(options);
    words_read(options, argc, argv);
    if (options->nspecs == 0)
        errx(1, "no nodes given; bpsh --help tells more");
    if (!*options->args && !options->dry_run)
        errx(1, "no command given for nodes '%s'; bpsh --help tells more", options->specs[0]);
    output_check(options);
}

void options_free(struct options *options)
{
    free(options->specs);
}
