/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is in the second process space. Its numbers may be taken in the first one as well, by what
 * stands for a process or by the caller that became it, so whoever looks at a number has to know.
 *
 * Life: an entry from the launch, or from the census's word that a process was born there, to the
 * end of the process. Nothing here blocks.
 */
#ifndef BPROC_SLAVED_SECONDS_H
#define BPROC_SLAVED_SECONDS_H

#include <stdint.h>
#include <sys/types.h>

/* `serial`: of its launch; 0: born there. 0, -EEXIST or -ENOMEM. */
int seconds_add(pid_t pid, uint32_t serial);

/* One that is not there is none. */
void seconds_remove(pid_t pid);

/* The launch with that serial has failed. */
void seconds_refused(uint32_t serial);

/* Whether a process of that number, if there is one, would be in the second space. */
int seconds_has(pid_t pid);

/* Their numbers, `max` of them at most: how many. */
unsigned seconds_list(int *pids, unsigned max);

void seconds_clear(void);

#endif
