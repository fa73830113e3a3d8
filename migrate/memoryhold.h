/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps a process standing still while its memory is read. We may read any; its owner may not. A
 * process that went on could execute a program with other rights, or one that its owner cannot
 * read, and we would read that for him. So it is stopped as by a debugger, and then looked at.
 *
 * Life: memoryhold_take(); reading; memoryhold_release() or memoryhold_end() by the same thread, or
 * our end, which kills it if it was taken so. Nobody else can trace it meanwhile.
 */
#ifndef BPROC_MEMORYHOLD_H
#define BPROC_MEMORYHOLD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * 0: it stands, has one thread, and is a process that `uid` could read himself. -EPERM: it is not;
 * -ESRCH: it has gone; another -errno. `number` is what it is in /proc. `ends_with_us`: our end is
 * its end. Blocks until it stands.
 */
int memoryhold_take(pid_t pid, pid_t number, uid_t uid, bool ends_with_us);

/* It goes on where it was. */
void memoryhold_release(pid_t pid);

/* It is killed, and its parent has it to wait for. Blocks until it has ended. */
void memoryhold_end(pid_t pid);

#endif
