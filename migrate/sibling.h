/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Children of a vector are forked by one of them that waits at its gate in the process space.
 *
 * Which number a child gets its parent has no right to say. So there is a process beside it, root's
 * and in the space as well, that sets the number that the kernel gives out next, tells it at its
 * gate to fork, and looks what came of it. Others may fork in between; then it is tried again.
 *
 * Life: sibling_start() makes that process; those who hold the socket it returns have children
 * forked by sibling_ask(), one after the other. It ends with the last of these sockets.
 */
#ifndef BPROC_SIBLING_H
#define BPROC_SIBLING_H

#include <sys/types.h>

#include "migrate/streamends.h"

/*
 * `gate` leads to who forks, which is `head` in the space with that `root`. The socket; *pid is the
 * process, which is the caller's child and to be waited for by __WALL; -errno.
 */
int sibling_start(int gate, pid_t head, const char *root, pid_t *pid);

/*
 * A child with that number, that gate, and the process's ends of the streams in their places. 0;
 * -EEXIST when the number is not to be had; another -errno. Blocks.
 */
int sibling_ask(int service, pid_t pid, int gate, const launch_arg *launch,
                const struct streamends *ends);

#endif
