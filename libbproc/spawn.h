/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A child that runs a program on a node, without a copy of its parent: what fork and rexec do
 * together, for tools that start many.
 *
 * spawn_start() starts the child (standin.h) and hands it over; it waits at its gate for its
 * process, and ends if there is to be none. The daemon says which on the line (spawnline.h). The
 * child is the caller's to wait for in both cases. On the caller's own node the child becomes the
 * program itself, and spawn_report() says whether it could. A caller who does not know which that
 * is leaves the question to spawn_start(), which hears the answer when all of its work is done.
 */
#ifndef BPROC_SPAWN_H
#define BPROC_SPAWN_H

#include <sys/types.h>

#include "libbproc/spawnline.h"
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
    void *memory;                       /* its own, for standin_free() when it has ended */
    uint32_t serial;                    /* SPAWN_AWAY: of the answer on the line */
    int report;                         /* SPAWN_HERE: for spawn_report(), which closes it */
};

/*
 * Starts it. 0, or the negated errno of what failed here: then there is no child. -EPIPE: the
 * daemon at the other end of the line went before it had read of the program; who has heard the
 * line to its end may try again.
 * Blocks for the daemon only if that has to say where the node is; then no other answer may be
 * outstanding.
 */
int spawn_start(struct spawn *spawn, struct spawnline *line);

/* Whether the program runs, of a child here: 0, or -errno. Closes `report`. Blocks. */
int spawn_report(int report);

#endif
