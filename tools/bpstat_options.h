/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What bpstat was told to do. */
#ifndef TOOLS_BPSTAT_OPTIONS_H
#define TOOLS_BPSTAT_OPTIONS_H

#include <stdbool.h>

#include "tools/bpstat_table.h"

enum output {
    OUTPUT_TABLE,
    OUTPUT_FILTER,          /* of ps(1) */
    OUTPUT_NODE_OF,
    OUTPUT_JSON,
    OUTPUT_PROMETHEUS,
    OUTPUT_HOSTFILE,
    OUTPUT_HOSTS,
    OUTPUT_NODESET,
    OUTPUT_GROUPS
};

struct options {
    enum output output;
    enum table_form form;
    enum table_order order;
    bool reverse, update, lock;
    bool hydra;             /* the form of OUTPUT_HOSTFILE */
    bool processes;         /* OUTPUT_TABLE, OUTPUT_JSON: tell of processes instead */
    const char *host;       /* of OUTPUT_NODE_OF */
    char **specs;           /* the nodes; ends with a NULL */
};

/* Reads the arguments; ends the tool when they are wrong or ask for help. */
void options_read(struct options *options, int argc, char **argv);

#endif
