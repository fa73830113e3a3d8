/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bpcp_options.h"
#include "tools/tool.h"

/* What scp and rcp know besides, of which nothing concerns us. */
#define FOREIGN_LETTERS "12346ABCKORTc:D:F:i:J:k:l:o:P:sS:X:"

static const char usage_text[] =
    "usage: bpcp [OPTION]... [NODES:]FILE [NODES:]FILE\n"
    "       bpcp [OPTION]... [NODES:]FILE... [NODES:]DIRECTORY\n"
    "Copies files between the machines of the cluster (3:, n[0-3]:, allup:, master:).\n"
    "  -r             directories with what is in them\n"
    "  -p             keep modes and times\n"
    "  -q             no progress bar\n"
    "  -w NODES       copy to FILE or DIRECTORY on these\n"
    "  -x NODES       but not on these\n"
    "  --progress[=WHEN]  progress bar: auto (on terminals), always, never [auto]\n"
    "  -h, --help     print this text\n"
    "  -v, --version  print the release\n"
    "Other options of scp are accepted and ignored.\n";

enum { OPT_PROGRESS = 256, OPT_ASKER, OPT_DIR, OPT_DIRECTORY, OPT_HOME, OPT_SUFFIX };

static const struct option long_options[] = {
    { "progress", optional_argument, NULL, OPT_PROGRESS }, { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'v' },
    { "asker", required_argument, NULL, OPT_ASKER }, { "dir", required_argument, NULL, OPT_DIR },
    { "directory", no_argument, NULL, OPT_DIRECTORY }, { "home", no_argument, NULL, OPT_HOME },
    { "suffix", required_argument, NULL, OPT_SUFFIX }, { 0 }
};

static bool progress_read(const char *when)
{
    if (!when || strcmp(when, "always") == 0)
        return true;
    if (strcmp(when, "auto") == 0)
        return isatty(STDERR_FILENO);
    if (strcmp(when, "never") != 0)
        errx(1, "--progress: '%s' is not auto, always or never", when);
    return false;
}

static bool name_foreign(void)
{
    return strcmp(program_invocation_short_name, "scp") == 0 ||
           strcmp(program_invocation_short_name, "rcp") == 0;
}

/* Letters that mean something else to scp and rcp. */
static bool letter_foreign(int option)
{
    return name_foreign() && (option == 'v' || option == 'x' || option == 'd');
}

static void option_set(struct options *options, int option)
{
    if (letter_foreign(option))
        return;
    switch (option) {
    case 'r': options->recurse = true; break;
    case 'p': options->preserve = true; break;
    case 'q': options->progress = false; break;
    case 'w': options->spec = optarg; break;
    case 'x': options->exclude = optarg; break;
    case OPT_PROGRESS: options->progress = progress_read(optarg); break;
    case OPT_ASKER: options->delegated = true; options->asker = atoi(optarg); break;
    case OPT_DIR: options->dir = optarg; break;
    case OPT_DIRECTORY: options->directory = true; break;
    case OPT_HOME: options->home = true; break;
    case OPT_SUFFIX: options->suffix = optarg; break;
    case 'h': tool_usage(usage_text, 0, 1);
    case 'v': tool_version(1);
    case '?': errx(1, "bpcp --help tells more");
    default: break;
    }
}

void options_read(struct options *options, int argc, char **argv)
{
    const char *letters;
    int option;

    *options = (struct options) { .home = name_foreign(), .progress = isatty(STDERR_FILENO),
                                  .suffix = "" };
    letters = options->home ? "prqhvxd" FOREIGN_LETTERS : "prqhvw:x:" FOREIGN_LETTERS;
    while ((option = getopt_long(argc, argv, letters, long_options, NULL)) != -1)
        option_set(options, option);
    options->args = argv + optind;
    options->count = (size_t)(argc - optind);
    if (options->count < 2)
        errx(1, "%s; bpcp --help tells more",
             options->count ? "no target given" : "no files given");
    if (options->exclude && !options->spec)
        errx(1, "-x '%s' needs -w", options->exclude);
}
