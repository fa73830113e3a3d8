/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers that the space's kernel gives to processes made here: a block that no other machine
 * of the cluster uses. The kernel counts upwards without end; it is set back to the block's start
 * in good time. Before the block is known they begin far from the small ones, which are those of
 * the master's processes where it has not run for long.
 */
#ifndef BPROC_SPACE_NUMBERS_H
#define BPROC_SPACE_NUMBERS_H

#include <stdbool.h>
#include <sys/types.h>

/* Once, with /proc mounted. */
void numbers_init(void);

/* The block is first … first + count - 1. A count below 2: none, everything stays as it is. */
void numbers_set(pid_t first, pid_t count);

/* The number given out last, and sets the count back when it is due. 0 when it cannot be read. */
pid_t numbers_tend(void);

#endif
