/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The room in which a process stands beside who forked it, in the same memory: a stack, and bytes
 * for it to read. So no page is copied for what its exec throws away, and a keeper costs a clone.
 *
 * Life: room_take() and the bytes filled in; room_start(), and from then on the room is the new
 * process's; the kernel gives it back when that executes something or ends, however it does. Then
 * anybody in this memory may take it again. Rooms are never unmapped, but what lies beyond one for
 * somebody with many words is (rooms_tidy()). One whose taker is killed before he has forked stays
 * taken for as long as that memory is there; only root can do that to a keeper that forks.
 *
 * Those in one memory are processes of their own: none ends with another, and none may rely on what
 * another could be amid of when it is killed. So they take no memory by malloc(), hold no locks and
 * leave libc's states alone, errno above all; only calls without any and raw ones are for them. Who
 * has a copy instead lives by the same rules.
 *
 * Who shares what:
 *  - nobody shares init's memory, not even for a moment: the machine, short of memory, kills all
 *    who share what it chooses. Keepers of a session may go together so; they are the smallest.
 *  - keepers share that of the first one of their session, and what a keeper launches that of the
 *    keeper until it executes, unless the kernel is older than 5.16, where what dumps core ends all
 *    who have its memory, or fs.suid_dumpable is 1, which lets a user trace what has taken his ids,
 *    and so write to our memory (room_is_safe()).
 *  - nobody else can look in or write: keepers are root's to ptrace(2) and /proc/PID/mem but for
 *    the saved id that lets a user signal them (kernels look at all three), and memory in which
 *    somebody has changed his ids may not be dumped nor traced by users.
 */
#ifndef BPROC_SPACE_ROOM_H
#define BPROC_SPACE_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct room;

/* What runs there; does not return. */
typedef void room_fn(struct room *room);

/* Once, in init: what the kernel allows. */
void room_init(void);

/* Whether a process may be beside another one; init looks at the kernel's word before a launch. */
void room_look(void);
bool room_is_safe(void);

/* With space for `len` bytes; NULL when there is no memory. */
struct room *room_take(size_t len);

/* Aligned as malloc()'s. */
void *room_bytes(struct room *room);

/* In place of room_start(). */
void room_leave(struct room *room);

enum room_child {
    ROOM_CHILD,
    ROOM_QUIET,                 /* nobody is sent SIGCHLD when it ends */
    ROOM_SIBLING                /* a child of the caller's parent, as quiet as the caller */
};

/*
 * Forks run(room), with the pid `want` (0: any) and all signals blocked. If not `beside`, or by
 * init, it has a copy. Both go on at once. The pid, or -errno as pidfork(); then the room has been
 * left. The caller may only room_release() it.
 */
pid_t room_start(struct room *room, pid_t want, enum room_child child, bool beside, room_fn *run);

/* What waits in room_wait() may go on. */
void room_release(struct room *room);

/* Until then, or who forked us has gone. At once in a copy. */
void room_wait(struct room *room, pid_t parent);

/* Lets go of what lay beyond rooms that are free. */
void rooms_tidy(void);

#endif
