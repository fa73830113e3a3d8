/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A terminal of the node for one command. The leader opens it, the command takes it as its
 * controlling terminal, and the leader relays between it and the caller's streams until the command
 * ends. The caller's own terminal is raw meanwhile: keys like ^C and ^Z do their work in the node.
 */

#ifndef BPROC_LAB_PTY_H
#define BPROC_LAB_PTY_H

#include <sys/types.h>
#include <termios.h>

/* Master side of a new terminal of the node, as large as the one on standard input, close-on-exec.
 * Ends the process with a message on failure. */
int pty_open(void);

/* Makes the calling process leader of a session on the terminal of MASTER, which also becomes its
 * standard streams. Ends the process with a message on failure. */
void pty_take(int master);

/* Makes the terminal on standard input raw; SAVED is its present setting. */
void pty_raw(const struct termios *saved);

/* Relays until CHILD ends, then what is still to be read; the wait status of CHILD. Signals must be
 * blocked as relay_block() does. */
int pty_relay(int master, pid_t child);

#endif
