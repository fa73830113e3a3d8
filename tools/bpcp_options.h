/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpcp's command line, also as scp and rcp are called. What is in it stays argv's. */
#ifndef TOOLS_BPCP_OPTIONS_H
#define TOOLS_BPCP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct options {
    bool recurse, preserve, progress;
    bool home;                      /* relative names on nodes count from the home directory */
    const char *spec, *exclude;     /* nodes of the target, if they do not stand in front of it */
    /* What bpcp says to itself when it lets the machine that has the files do the copy. */
    bool delegated, directory;
    int asker;                      /* node it was asked on, which messages do not name */
    const char *dir;                /* working directory there */
    const char *suffix;             /* of the names in the target, "" */
    char **args;                    /* sources and, last, the target; ended by NULL */
    size_t count;                   /* of all args, at least 2 */
};

/* Fills *options. Wrong usage ends the tool with a message that names the word and status 1. */
void options_read(struct options *options, int argc, char **argv);

#endif
