/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command on one node as a remote shell runs it: in a session of its own, perhaps on a terminal,
 * with three separate streams that end separately, signals passed on to its whole group, and gone
 * when the caller is.
 *
 * Life: session_run() forks a child, which executes bproc-session on the node (session_node.c);
 * that leads the command there. Beside the streams there is a control socket: the window's size
 * goes over it, and its end tells bproc-session that nobody waits any more.
 */
#ifndef TOOLS_SESSION_H
#define TOOLS_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SESSION_CONTROL 3           /* descriptor of the control socket on the node */
#define SESSION_END_MS 7000         /* for what end() begins */

struct session {
    int node;
    const char *path;               /* executed on the node */
    char *const *argv;
    char *const *envp;
    const char *folder;             /* to be in there; NULL: the caller's */
    bool no_input;
    bool terminal;
    int failure;                    /* exit status when the output cannot be written */
    int64_t connect_ms, run_ms;     /* what it has until it runs, then to its end; 0: any */
    /* Is to end `pid`, the process that stands for bproc-session, which is out of run_ms. */
    void (*end)(void *arg, pid_t pid);
    void *end_arg;
    int (*become)(const void *user);    /* in the child, 0 or -1; NULL: as the caller is */
    const void *user;
};

/*
 * Runs it and carries standard input, output and error, which are closed as they end, until the
 * command has ended and nobody has its output open. 0 and what waitpid() tells of it in *status;
 * or -errno when it could not be started, -ETIMEDOUT when that took too long. A command that has
 * not ended 2 s after SIGHUP or SIGTERM was passed on, or SESSION_END_MS after end() was called, is
 * told to have died of what was passed on, or of SIGTERM. Output that cannot be written ends the
 * caller with a message, unless it is for the lack of a reader. Blocks until then. Once in a
 * process, whose signals and streams it takes for good; SIGCHLD must not be ignored.
 */
int session_run(const struct session *session, int *status);

#endif
