/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both ends of a terminal session. On the node: a new terminal, pty_open(), that a child takes with
 * pty_take(); pty_resize() follows the user's window. Here: the user's own terminal is raw from
 * terminal_raw() to terminal_restore(), which also happens at exit(), so that every key does its
 * work there.
 */
#ifndef TOOLS_PTY_H
#define TOOLS_PTY_H

#include <stdbool.h>
#include <sys/ioctl.h>

/* Master side of a new terminal, close-on-exec; or -errno. */
int pty_open(const struct winsize *size);

/*
 * Makes the terminal of `master` the controlling one of the calling process, which leads a session
 * without one, and its descriptors 0 to 2. 0 or -errno.
 */
int pty_take(int master);

void pty_resize(int master, const struct winsize *size);

/* Size of the terminal at standard input; 24 by 80 when that is none or does not know. */
struct winsize terminal_size(void);

/* Makes the terminal at standard input raw; nothing if it is none. */
void terminal_raw(void);

/* Puts it back as it was; nothing if it is not raw. */
void terminal_restore(void);

#endif
