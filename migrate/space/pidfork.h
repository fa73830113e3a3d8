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

/*
 * Puts from[i] at descriptor number to[i] for each i and makes every other descriptor
 * close-on-exec. One `from` may go to several numbers. 0 or -errno; the process is then only good
 * for _exit(). `keep` are `keep_count` further descriptors that stay usable until the exec (-1:
 * none); their numbers may change.
 */
int pidfork_place(const int *from, const int *to, unsigned count, int *keep, unsigned keep_count);

#endif
