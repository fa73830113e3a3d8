/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bprsh's command line, as callers of ssh and rsh write it: every option of theirs is known, so
 * that none is taken for the host or the command; most say nothing to us.
 */
#ifndef TOOLS_BPRSH_OPTIONS_H
#define TOOLS_BPRSH_OPTIONS_H

#include <stdbool.h>

#define AGENT_FAILED 255            /* status of every failure that is not the command's */

enum agent_terminal {
    TERMINAL_DEFAULT,               /* for a shell without a command, if there is one here */
    TERMINAL_NONE,                  /* -T */
    TERMINAL_ASK,                   /* -t: if there is one here */
    TERMINAL_FORCE                  /* -tt */
};

struct agent_options {
    const char *user;               /* NULL: the caller */
    const char *host;
    char *command;                  /* its words with blanks between them; NULL: none */
    enum agent_terminal terminal;
    bool no_input;
    bool subsystem;                 /* it is sftp's server that is wanted */
};

/*
 * Fills *options, whose command is malloc'd; the rest stays argv's, with the `@` of a user@host
 * made its end. Wrong usage and what cannot be done end the tool with a message and status 255.
 */
void agent_options_read(struct agent_options *options, int argc, char **argv);

#endif
