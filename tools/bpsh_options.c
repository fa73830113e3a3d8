/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "tools/bpsh_options.h"
#include "tools/tool.h"

#define LONGEST_BUFFER (16 * 1024 * 1024)

static const char usage_text[] =
    "usage: bpsh [OPTION]... NODES COMMAND [ARGUMENT]...\n"
    "       bpsh [OPTION]... -a|-A|-1 COMMAND [ARGUMENT]...\n"
    "Runs COMMAND on NODES (3, 0-5, allup, 1,4,7-, master).\n"
    "  -a             all nodes that are up\n"
    "  -A             all nodes that are not down\n"
    "  -1             the master\n"
    "  -n             no input: stdin of the command is empty\n"
    "  -N             no input and no output\n"
    "  -I, --stdin FILE    read FILE on the node instead\n"
    "  -O, --stdout FILE   write FILE on the node instead\n"
    "  -E, --stderr FILE   write FILE on the node instead\n"
    "  -L             line by line: lines of different nodes do not mix\n"
    "  -p             put the node's number in front of each line\n"
    "  -s             output of one node after the other\n"
    "  -d             the same, with a divider in front of each node's\n"
    "  -b BYTES       longest line for -L and -p [4096]\n"
    "  -t, --time     print the elapsed seconds at the end, to stderr\n"
    "  -l USER        accepted and ignored\n"
    "  -h, --help     print this text\n"
    "  -v, --version  print the release\n";

static const struct option long_options[] = {
    { "stdin", required_argument, NULL, 'I' }, { "stdout", required_argument, NULL, 'O' },
    { "stderr", required_argument, NULL, 'E' }, { "time", no_argument, NULL, 't' },
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' }, { 0 }
};

static size_t buffer_read(const char *text)
{
    char *end;
    unsigned long bytes;

    errno = 0;
    bytes = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || bytes == 0 || bytes > LONGEST_BUFFER)
        errx(1, "'%s' is no buffer size (1 to %d)", text, LONGEST_BUFFER);
    return bytes;
}

static void spec_set(struct options *options, const char *spec)
{
    if (options->spec)
        errx(1, "nodes are given twice: '%s' and '%s'", options->spec, spec);
    options->spec = spec;
}

static void option_set(struct options *options, int option)
{
    switch (option) {
    case 'a': spec_set(options, "allup"); break;
    case 'A': spec_set(options, "allnotdown"); break;
    case '1': spec_set(options, "master"); break;
    case 'n': options->no_input = true; break;
    case 'N': options->no_io = true; break;
    case 'I': options->files.in = optarg; break;
    case 'O': options->files.out = optarg; break;
    case 'E': options->files.err = optarg; break;
    case 'p': options->prefix = options->lines = true; break;
    case 'L': options->lines = true; break;
    case 'd': options->divider = options->sequential = true; break;
    case 's': options->sequential = true; break;
    case 'b': options->buffer = buffer_read(optarg); break;
    case 't': options->time = true; break;
    case 'l': break;
    case 'h': tool_usage(usage_text, 1);
    case 'v': tool_version();
    default: exit(1);
    }
}

/* Is the next word a node specification that looks like an option, as "-1,0"? */
static bool spec_next(const struct options *options, char *word)
{
    return !options->spec && word && word[0] == '-' && word[1] >= '0' && word[1] <= '9';
}

void options_read(struct options *options, int argc, char **argv)
{
    int option;

    *options = (struct options) { .buffer = 4096 };
    while (optind < argc) {
        if (spec_next(options, argv[optind])) {
            spec_set(options, argv[optind++]);
            continue;
        }
        option = getopt_long(argc, argv, "+aA1nNLpsdb:I:O:E:tl:hv", long_options, NULL);
        if (option != -1)
            option_set(options, option);
        else if (!options->spec && optind < argc)
            spec_set(options, argv[optind++]);
        else
            break;
    }
    if (!options->spec)
        errx(1, "no nodes given; bpsh --help tells more");
    if (optind == argc)
        errx(1, "no command given for nodes '%s'; bpsh --help tells more", options->spec);
    options->args = argv + optind;
}
