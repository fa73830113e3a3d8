/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making processes inside the space: with a number of our choice, and with exactly the descriptors
 * they are to have. For programs of one thread only.
 */
#ifndef BPROC_SPACE_PIDFORK_H
#define BPROC_SPACE_PIDFORK_H

#include <sys/types.h>

/* Once, in init: what the kernel allows. */
void pidfork_init(void);

/*
 * fork(2) whose child has the pid `want` (0: any). All signals are blocked in the child, so that
 * none is lost before it has set its dispositions. Returns as fork: 0 in the child, the pid in the
 * parent, or -errno; -EEXIST when the number is in use, -EINVAL when it is beyond pid_max.
 */
pid_t pidfork(pid_t want);

/* The same; the child is a sibling of the caller's, in the caller's session. */
pid_t pidfork_sibling(pid_t want);

/* The room in which a child stands beside its parent. Zeroed: nobody does. */
struct pidfork_room {
    int taken;                  /* the kernel clears it */
    void *stack;
};

/*
 * As pidfork(), but the child runs run(arg) in the caller's memory, on a stack of the room's. It
 * may call nothing that changes a state of libc, errno above all, and does not return: it executes
 * something or ends. Both go on at once. It has a copy where memory cannot be shared or is better
 * not: beside init, on a kernel before 5.16, and where fs.suid_dumpable is 1.
 */
pid_t pidfork_beside(pid_t want, struct pidfork_room *room, void (*run)(void *), void *arg);

/* Whether it has neither executed anything nor ended: all that it was given is in use. */
int pidfork_is_beside(const struct pidfork_room *room);

/* Of nobody beside us. */
void pidfork_room_free(struct pidfork_room *room);

#define PIDFORK_PLACES 16

/*
 * Puts from[i] at descriptor number to[i] for each i and makes every other descriptor
 * close-on-exec. One `from` may go to several numbers. 0 or -errno: the process is then only good
 * for _exit(); -EINVAL for more than PIDFORK_PLACES. Takes no memory, as the child of one with
 * threads must not.
 */
int pidfork_place(const int *from, const int *to, unsigned count);

#endif
