/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command line tools have in common: messages and the node table. A message goes to
 * stderr as "TOOL: text". Tools end with status 1 for wrong usage and when nothing could be done.
 */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include <sys/bproc.h>

/* Node table of the daemon and the node the tool runs on. */
struct tool_nodes {
    struct bproc_node_info_t *list;
    int count;
    int self;
};

/* Text for an errno value, in the tools' words where the system's would mislead. Not freed. */
const char *tool_reason(int error);

/* Prints the usage text to stdout and ends the tool with `status`. */
void tool_usage(const char *text, int status) __attribute__((noreturn));

/* Prints name and release, ends the tool with 0. */
void tool_version(void) __attribute__((noreturn));

/* Fetches the table; ends the tool with a message if that fails. Blocks for the daemon. */
void tool_nodes_load(struct tool_nodes *nodes);
void tool_nodes_free(struct tool_nodes *nodes);

/* Record of `node`, borrowed; NULL if there is none. */
const struct bproc_node_info_t *tool_nodes_find(const struct tool_nodes *nodes, int node);

#endif
