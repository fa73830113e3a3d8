/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A child that runs a program on a node, without a copy of its parent: what fork and rexec do
 * together, for tools that start many.
 *
 * spawn_start() starts the child, which is the ghost from its first instruction, and hands it over;
 * it waits at its gate for its process, and ends if there is to be none. spawn_answer() says which,
 * once the descriptor that spawn_start() gave can be read. The child is the caller's to wait for
 * in both cases. On the caller's own node the child becomes the program itself.
 */
#ifndef BPROC_SPAWN_H
#define BPROC_SPAWN_H

#include <sys/types.h>

#include "libbproc/spec.h"

struct spawn {
    const struct circumstances *now;
    int node;
    int here;                           /* that is the caller's own */
    int send;                           /* the executable travels, as with execmove */
    const int *fds;                     /* for its 0 to 2; -1: /dev/null */
    const char *cmd;
    char *const *argv, *const *envp;
    pid_t pid;                          /* of the child: 0 if there is none */
};

/*
 * Starts it. A descriptor for spawn_answer(), or the negated errno of what failed here: then there
 * is no child. Does not block for the daemon.
 */
int spawn_start(struct spawn *spawn);

/* Whether the program runs: 0, or a negative errno as of bproc_rexec(). Closes `fd`. Blocks. */
int spawn_answer(int fd, int here);

#endif
