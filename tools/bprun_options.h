/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of bprun and of its other names, and what stands in for it in the environment.
 * All of it stays argv's or the environment's.
 */
#ifndef TOOLS_BPRUN_OPTIONS_H
#define TOOLS_BPRUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum run_amount {
    AMOUNT_COUNT,                   /* `processes`, where there is least to do */
    AMOUNT_CPUS,                    /* one for each CPU */
    AMOUNT_NODES,                   /* one for each node */
    AMOUNT_MAP                      /* as `map` says */
};

struct options {
    enum run_amount amount;
    size_t processes;
    const char *map, *exclude;      /* lists between colons; exclude may be NULL */
    bool all_local, no_local;
    bool prefix, no_input;
    bool map_only;                  /* print the map, run nothing */
    size_t fanout;                  /* processes at a time, 0: all */
    char **args;                    /* the command, ended by NULL; empty with map_only only */
};

/*
 * Fills *options. Wrong usage ends the tool with a message that names the word and status 1, a
 * command that is missing with status 2.
 */
void options_read(struct options *options, int argc, char **argv);

#endif
