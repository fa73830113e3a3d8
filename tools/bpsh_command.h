/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command bpsh runs: looked up once on the caller's PATH, the same for all nodes. Made by
 * command_make() before the first process, ended by command_free().
 */
#ifndef TOOLS_BPSH_COMMAND_H
#define TOOLS_BPSH_COMMAND_H

#include <stdbool.h>

struct command {
    char *path;             /* what the node executes */
    char **argv;            /* ended by NULL; its strings are not owned by it */
    bool sent;              /* it is this machine's file, which nodes need not have */
    char *target;           /* the command itself when bproc-open is in front of it, else NULL */
};

/* Files on the node for a stream; NULL: none. */
struct command_files {
    const char *in, *out, *err;
};

/*
 * Looks up args[0] (`args` ends with NULL and outlives the command) and makes what the node is to
 * execute: with a file, bproc-open, which opens it there as the user and becomes the command. 0,
 * -ENOENT when it is not on the PATH, -EACCES when it is but cannot be executed, -ENOMEM.
 */
int command_make(struct command *command, char **args, const struct command_files *files);
void command_free(struct command *command);

/*
 * Whether `error`, for which a process was not created, is about the file that it was to execute:
 * nothing else on the way to a node fails with these. Not when that file is bproc-open.
 */
bool command_is_at_fault(const struct command *command, int error);

/*
 * The path of `name` on `search` (as PATH; NULL: the default), malloc'd. A name with a slash is
 * its own path. NULL with errno as command_make().
 */
char *command_find(const char *name, const char *search);

#endif
