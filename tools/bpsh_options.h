/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpsh's command line. What is in it stays argv's. */
#ifndef TOOLS_BPSH_OPTIONS_H
#define TOOLS_BPSH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/bpsh_command.h"

struct options {
    const char *spec;               /* the nodes */
    bool no_input, no_io, lines, prefix, sequential, divider, time;
    size_t buffer;                  /* bytes of the longest line */
    struct command_files files;
    char **args;                    /* the command, ended by NULL */
};

/*
 * Fills *options; there are nodes and a command when it returns. Wrong usage ends the tool with a
 * message that names the word and status 1.
 */
void options_read(struct options *options, int argc, char **argv);

#endif
