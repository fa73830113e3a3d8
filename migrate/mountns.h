/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mount namespace of a process that leaves. Its image names files as the process sees them,
 * and CRIU must see the same. Whoever made the namespace decides what root finds there under the
 * name of CRIU, so only what is as good as our own is entered. No lifecycle; nothing is kept.
 */
#ifndef BPROC_MOUNTNS_H
#define BPROC_MOUNTNS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Takes the calling thread into the mount namespace of `pid`, if it is another one than ours. 0;
 * -ESRCH; -ENOTSUP when a user made the namespace for himself or it has another root than ours;
 * another -errno; each with a reason in text[len]. Does not block.
 */
int mountns_enter(pid_t pid, char *text, size_t len);

#endif
