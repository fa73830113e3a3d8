/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command line tools have in common: messages and the node table. A message goes to
 * stderr as "TOOL: text". Tools end with status 1 for wrong usage and when nothing could be done.
 */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/bproc.h>

/* Node table of the daemon and the node the tool runs on. */
struct tool_nodes {
    struct bproc_node_info_t *list;
    int count;
    int self;
};

/* Text for an errno value, in the tools' words where the system's would mislead. Not freed. */
const char *tool_reason(int error);

/* Do all calls fail with this errno, as the daemon's socket cannot even be connected to? */
bool tool_socket_is_at_fault(int error);

/* What becomes of writing to a standard output that the caller has closed. */
enum tool_stdout {
    STDOUT_SWALLOWS,        /* all is well, as with ssh */
    STDOUT_FAILS            /* EBADF, as with any program here */
};

/*
 * For tools that run others, before they open anything: makes up for descriptors 0 to 2 that the
 * caller has closed, by /dev/null, and for children that he wants to hear nothing of. From then on
 * stderr is written by lines; what is no whole one needs fflush().
 */
void tool_start(enum tool_stdout closed);

/* The signals that are blocked, all of them. */
void tool_mask(sigset_t *mask);

/*
 * Adds the signals to `set` that a tool passes on to what it runs. One that is ignored is not among
 * them: nohup, and shells for what they run in the background, mean the remote command as well.
 */
void tool_signals(sigset_t *set);

/* Monotonic milliseconds, never 0. */
int64_t tool_clock(void);

/* Closes it, if it is open, and makes it -1. */
void tool_close(int *fd);

/* Is standard input /dev/null? */
bool tool_stdin_is_null(void);

/* Writes what is left for stdout; ends the tool with a message and `failure` if that cannot be. */
void tool_flush(int failure);

/* Prints the usage text to stdout and ends the tool with `status`, or as tool_flush(). */
void tool_usage(const char *text, int status, int failure) __attribute__((noreturn));

/* Prints name and release, ends the tool with 0, or as tool_flush(). */
void tool_version(int failure) __attribute__((noreturn));

/*
 * Colours: as --color=WHEN says, else BPROC_COLOR, else none if NO_COLOR is set and not empty, else
 * `auto`, which is on terminals other than TERM=dumb. WHEN is auto, always or never; another word,
 * also in the variable, ends the tool with a message and status 1.
 */
void tool_color_set(const char *when);

/* Does `fd` get colours? */
bool tool_color_wanted(int fd);

#define TOOL_RED    "\033[31m"
#define TOOL_GREEN  "\033[32m"
#define TOOL_YELLOW "\033[33m"
#define TOOL_CYAN   "\033[36m"
#define TOOL_BOLD   "\033[1m"
#define TOOL_PLAIN  "\033[0m"

/* `sequence` if `fd` gets colours, else "". */
const char *tool_color(int fd, const char *sequence);

/* The own node, asked for once; BPROC_NODE_NONE with errno. Blocks for the daemon. */
int tool_self(void);

/* The same as far as it is known already, else BPROC_NODE_NONE. */
int tool_self_known(void);

/* Fetches the table; ends the tool with a message if that fails. Blocks for the daemon. */
void tool_nodes_load(struct tool_nodes *nodes);
void tool_nodes_free(struct tool_nodes *nodes);

/* Record of `node`, borrowed; NULL if there is none. */
const struct bproc_node_info_t *tool_nodes_find(const struct tool_nodes *nodes, int node);

#endif
