/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slaved's helper programs: the init of the process space and the receiver. A helper is started
 * with one or two descriptors at 3 and 4 and none else but the standard ones; its end is told to
 * the function given for it, from the event loop.
 */
#ifndef BPROC_SLAVED_CHILD_H
#define BPROC_SLAVED_CHILD_H

#include <sys/types.h>

#define CHILD_MAX 4                 /* descriptors */

/* `words` says how it ended. */
typedef void child_fn(const char *words);

/*
 * Starts PKGLIBEXECDIR/name. `namespaces`: CLONE_NEW* flags, 0 none. Descriptors stay the caller's.
 * The pid, or -errno. A failure of the exec itself shows as the child's end with status 127.
 */
pid_t child_start(const char *name, char *const *argv, const int *fds, unsigned nfds,
                  int namespaces, child_fn *on_end);

/* Nobody is told of its end any more. */
void child_forget(pid_t pid);

#endif
