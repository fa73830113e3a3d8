/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making processes inside the space: with a number of our choice, and with exactly the descriptors
 * they are to have. For programs of one thread only.
 */
#ifndef BPROC_SPACE_PIDFORK_H
#define BPROC_SPACE_PIDFORK_H

#include <sys/types.h>

/*
 * fork(2) whose child has the pid `want` (0: any). All signals are blocked in the child, so that
 * none is lost before it has set its dispositions. Returns as fork: 0 in the child, the pid in the
 * parent, or -errno; -EEXIST when the number is in use, -EINVAL when it is beyond pid_max.
 */
pid_t pidfork(pid_t want);

/* The same; the child is a sibling of the caller's, in the caller's session. */
pid_t pidfork_sibling(pid_t want);

struct clone_args;

/*
 * What both do: `call` makes the system call, with the number and all signals blocked, and comes
 * back in the child as in the parent, or not at all in the child. Changes no errno.
 */
pid_t pidfork_clone(struct clone_args *args, pid_t want, long (*call)(struct clone_args *args));

#define PIDFORK_PLACES 16

/*
 * Puts from[i] at descriptor number to[i] for each i and makes every other descriptor
 * close-on-exec. One `from` may go to several numbers. 0 or -errno: the process is then only good
 * for _exit(); -EINVAL for more than PIDFORK_PLACES. Takes no memory, as the child of one with
 * threads must not.
 */
int pidfork_place(const int *from, const int *to, unsigned count);

#endif
