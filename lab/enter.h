/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A command inside a node, as if ssh had brought it there. Three processes:
 *
 *   outer   stays outside: takes signals, passes them on, ends as the command ends
 *   leader  in all of the node's namespaces: gives the command a session, a parent and, on request,
 *           a terminal that are the node's own: job control and CRIU find nothing from outside
 *   command the user's
 *
 * Outer and leader let go of the standard streams at once (the leader of a terminal excepted): who
 * reads the command's output sees its end when the command closes it.
 * When outer is killed, the command gets SIGHUP. A stop of the command stops the other two as well.
 */

#ifndef BPROC_LAB_ENTER_H
#define BPROC_LAB_ENTER_H

#include <stdbool.h>

enum {
    ENTER_FAILED = 125, /* exit statuses of this program's own, as env(1) and chroot(1) have them */
    ENTER_CANNOT_RUN = 126,
    ENTER_NOT_FOUND = 127,
};

struct enter {
    const char *nodedir;
    const char *user; /* login name or number, NULL for the caller's own ids */
    bool terminal;    /* give the command a terminal of the node and relay it */
    const char *log;  /* leave the command behind, its output appended to this file of the node */
    char **argv;      /* the command, NULL ends */
    bool closed[3];   /* standard streams that the caller has closed: the command gets them so */
};

/* Runs the command and ends this process as the command ended, by the same signal or with the same
 * status. With a log it prints the command's pid inside the node and its start time as soon as the
 * command is running, and ends with 0. Blocks until then. Never returns. */
_Noreturn void enter_run(const struct enter *enter);

#endif
