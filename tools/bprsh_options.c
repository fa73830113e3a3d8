/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bprsh_options.h"
#include "tools/tool.h"

static const char usage_text[] =
    "usage: bprsh [OPTION]... [USER@]NODE [OPTION]... [--] [COMMAND [WORD]...]\n"
    "Runs COMMAND by the user's shell on NODE (n3, 3, .3, a name or address, master),\n"
    "or without one his login shell. Takes the options of ssh and rsh:\n"
    "  -l USER        as that user; root only, unless it is the caller\n"
    "  -n             no input: stdin of the command is empty\n"
    "  -t             on a terminal of the node; twice: even if there is none here\n"
    "  -T             on none\n"
    "  -s             COMMAND is a subsystem; there is one, sftp\n"
    "  -V, --version  print the release\n"
    "  --help         print this text\n"
    "  -1246AaCgKkMqvXxYyBbcEeFIiJmoPpS  accepted, without effect\n"
    "  -DfLNORWw      refused: there is no forwarding, no background, no master connection\n";

/* Those of ssh, in its order, and rsh's -d; -G and -Q are refused without a word. */
static const char letters[] =
    "+1246ab:c:de:fgi:kl:m:no:p:qstvxAB:CD:E:F:GI:J:KL:MNO:P:Q:R:S:TVw:W:XYy";

/* Why a letter is refused; NULL if it is not. */
static const char *refusal(int option)
{
    switch (option) {
    case 'f': return "bprsh stays in the foreground";
    case 'N': return "there is always a command or a shell";
    case 'O': return "there is no master connection";
    default: return strchr("DLRWw", option) ? "nothing is forwarded here" : NULL;
    }
}

enum { OPTION_HELP = 256 };

static const struct option long_options[] = {
    { "help", no_argument, NULL, OPTION_HELP }, { "version", no_argument, NULL, 'V' }, { 0 }
};

static void option_set(struct agent_options *options, int option)
{
    switch (option) {
    case 'l': options->user = optarg; break;
    case 'n': options->no_input = true; break;
    case 's': options->subsystem = true; break;
    case 't':
        options->terminal = options->terminal == TERMINAL_ASK ? TERMINAL_FORCE : TERMINAL_ASK;
        break;
    case 'T': options->terminal = TERMINAL_NONE; break;
    case 'V': tool_version(AGENT_FAILED);
    case OPTION_HELP: tool_usage(usage_text, 0, AGENT_FAILED);
    case '?': exit(AGENT_FAILED);
    case 'G':
    case 'Q': exit(AGENT_FAILED);
    default:
        if (refusal(option))
            errx(AGENT_FAILED, "cannot do option -%c: %s", option, refusal(option));
    }
}

/* "-1" is the master where a host is to come; ssh's own meaning of it died with its protocol 1. */
static bool host_next(const struct agent_options *options, const char *word)
{
    return !options->host && strcmp(word, "-1") == 0;
}

static void host_set(struct agent_options *options, char *word)
{
    char *at = strrchr(word, '@');

    if (at) {
        *at = '\0';
        options->user = word;
        word = at + 1;
    }
    options->host = word;
}

/* The words as ssh and rsh give them to the shell: one text. */
static char *words_join(char **words)
{
    size_t room = 1;
    char *text, *end;

    for (char **word = words; *word; word++)
        room += strlen(*word) + 1;
    text = end = malloc(room);
    if (!text)
        errx(AGENT_FAILED, "%s", strerror(ENOMEM));
    *end = '\0';
    for (char **word = words; *word; word++) {
        if (word != words)
            *end++ = ' ';
        end = stpcpy(end, *word);
    }
    return text;
}

static void subsystem_check(const struct agent_options *options)
{
    if (options->subsystem && (!options->command || strcmp(options->command, "sftp") != 0))
        errx(AGENT_FAILED, "cannot run subsystem '%s': only sftp is known",
             options->command ? options->command : "");
}

void agent_options_read(struct agent_options *options, int argc, char **argv)
{
    bool plain = false;             /* behind a "--" */

    *options = (struct agent_options) { 0 };
    while (optind < argc) {
        int option = host_next(options, argv[optind]) || plain
            ? -1 : getopt_long(argc, argv, letters, long_options, NULL);

        if (option != -1) {
            option_set(options, option);
            continue;
        }
        plain = plain || (optind > 1 && strcmp(argv[optind - 1], "--") == 0);
        if (options->host || optind == argc)
            break;
        host_set(options, argv[optind++]);
    }
    if (!options->host || !*options->host)
        errx(AGENT_FAILED, "no node given; bprsh --help tells more");
    if (optind < argc)
        options->command = words_join(argv + optind);
    subsystem_check(options);
}
