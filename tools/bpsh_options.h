/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpsh's command line. What is in it stays argv's, or the environment's where that stands in for
 * an option; options_free() ends what else there is.
 */
#ifndef TOOLS_BPSH_OPTIONS_H
#define TOOLS_BPSH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/bpsh_command.h"
#include "tools/bpsh_loop.h"

struct options {
    const char *spec;               /* the nodes, as BProc's bpsh is told them; NULL: by -w only */
    const char **specs;             /* all nodes */
    size_t nspecs;
    const char **excluded;          /* not these */
    size_t nexcluded;
    bool no_input, no_io, lines, prefix, label, sequential, divider, time;
    bool collect, diff, json, progress, dry_run, pty;
    const char *outdir;             /* NULL: none */
    size_t buffer;                  /* bytes of the longest line */
    size_t fanout;                  /* 0: all at once */
    int64_t connect_ms, run_ms;     /* 0: no limit */
    enum run_rules rules;
    struct command_files files;
    char **args;                    /* the command, ended by NULL; empty only for a dry run */
};

/*
 * Fills *options; there are nodes and a command when it returns. Wrong usage ends the tool with a
 * message that names the word and status 1.
 */
void options_read(struct options *options, int argc, char **argv);
void options_free(struct options *options);

#endif
