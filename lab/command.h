/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The last steps before a command takes over the process that was made for it in a node.
 */

#ifndef BPROC_LAB_COMMAND_H
#define BPROC_LAB_COMMAND_H

#include "lab/enter.h"

#include <signal.h>

/* Exit status for a command whose exec failed with ERROR (an errno). */
int command_status(int error);

/* Becomes the command: leader of a process group, or with PTY (the master side, -1 for none) of a
 * session on that terminal. MASK is the signal mask it gets. Of the caller's descriptors it has the
 * standard streams alone. On failure it prints a message and ends with command_status(). */
_Noreturn void command_run(const struct enter *enter, const sigset_t *mask, int pty);

/* Becomes the command as a daemon: own session, input from /dev/null, output to the log, default
 * signal dispositions, no other descriptors. On failure it writes the errno to RESULT, which the
 * exec closes otherwise. */
_Noreturn void command_daemonize(const struct enter *enter, const sigset_t *mask, int result);

#endif
