/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The namespaces of a process that leaves. Its image names files as the process sees them, and CRIU
 * must see the same, and the process. Whoever made the mount namespace decides what root finds
 * there under the name of CRIU, so only what is as good as our own, or as the process space's, is
 * entered.
 *
 * mountns_own() before, then mountns_enter_space() for a process of a space, mountns_enter(), and
 * mountns_leave() when the process has been dumped and its files are read. Nothing here blocks.
 */
#ifndef BPROC_MOUNTNS_H
#define BPROC_MOUNTNS_H

#include <stddef.h>
#include <sys/types.h>

/* A descriptor on the calling thread's mount namespace, or -errno. */
int mountns_own(void);

/*
 * Takes the calling thread into the mount namespace of the space whose init is `init`. /proc shows
 * the space from then on. A pidfd on init, or -errno with a reason.
 */
int mountns_enter_space(pid_t init, char *text, size_t len);

/*
 * Takes the calling thread into the mount namespace of `pid`, if it is another one than that of
 * `reference`, another process or "self", where it is. A descriptor on it; -ESRCH; -ENOTSUP when a
 * user made the namespace for himself or it has another root than ours; another -errno; each with
 * a reason.
 */
int mountns_enter(pid_t pid, const char *reference, char *text, size_t len);

/* Takes the calling thread back; closes `own`. -1 is allowed. */
void mountns_leave(int own);

#endif
