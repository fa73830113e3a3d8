/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that waits between its exec and its first instruction.
 *
 * Life: the program's process has let itself be traced and executes it; entry_hold() puts a page of
 * instructions of ours into its memory, which it runs before all else: they go to /, say that they
 * have reached the gate, and wait there; when the image of the process is used they go back to its
 * folder, let go of placeholders, close the gate, and jump to where the kernel would have begun.
 * The page stays; nothing else is changed.
 */
#ifndef BPROC_ENTRY_H
#define BPROC_ENTRY_H

#include <sys/types.h>

/* The number of the gate in that process. */
#define ENTRY_GATE 3

/*
 * `pid`, a child traced by the caller, has stopped in its exec. 0, and it runs and waits at its
 * gate, traced no more; -ENOEXEC: not a program of this machine's kind; -EACCES: it may not be
 * looked at; -ENOSYS: not here; another -errno. `cwd`: its folder; NULL: /. Blocks for some
 * turns of the child's.
 */
int entry_hold(pid_t pid, const char *cwd);

#endif
