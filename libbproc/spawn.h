/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A child that runs a program on a node, without a copy of its parent: what fork and rexec do
 * together, for tools that start many.
 *
 * spawn_start() starts the child (standin.h) and hands it over; it waits at its gate for its
 * process, and ends if there is to be none. spawn_answer() says which, once the descriptor that
 * spawn_start() gave can be read. The child is the caller's to wait for in both cases. On the
 * caller's own node the child becomes the program itself. A caller who does not know which that is
 * leaves the question to spawn_start(), which hears the answer when all of its work is done.
 */
#ifndef BPROC_SPAWN_H
#define BPROC_SPAWN_H

#include <sys/types.h>

#include "libbproc/spec.h"

enum spawn_place {
    SPAWN_AWAY,                         /* not on the caller's own node */
    SPAWN_HERE,
    SPAWN_ANYWHERE                      /* the daemon knows */
};

struct spawn {
    const struct circumstances *now;
    int node;
    enum spawn_place place;             /* where that is; SPAWN_ANYWHERE until it has started */
    int send;                           /* the executable travels, as with execmove */
    const int *fds;                     /* for its 0 to 2; -1: /dev/null */
    const char *cmd;
    char *const *argv, *const *envp;
    pid_t pid;                          /* of the child: 0 if there is none */
    void *memory;                       /* its own, which the caller frees when it has ended */
};

/*
 * Starts it. A descriptor for spawn_answer(), or the negated errno of what failed here: then there
 * is no child. Blocks for the daemon only if that has to say where the node is.
 */
int spawn_start(struct spawn *spawn);

/* The daemon went away: the child knows. By SIGKILL it ends if there is no process. */
#define SPAWN_UNTOLD 1

/*
 * Whether the program runs: 0, SPAWN_UNTOLD, or a negative errno as of bproc_rexec(). Closes `fd`.
 * Blocks.
 */
int spawn_answer(int fd, enum spawn_place place);

#endif
