/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pages of the calling process that raise SIGSEGV when they are touched, in the midst of a mapping
 * that could be: MADV_GUARD_INSTALL, of which the maps tell nothing. libc has them below the stacks
 * of threads. Where the kernel has none, or does not tell, none are found.
 *
 * Life: fences_open(), any number of calls, fences_close().
 */
#ifndef BPROC_FENCES_H
#define BPROC_FENCES_H

#include <stdint.h>

/* A descriptor, -1 if there are none. */
int fences_open(void);
void fences_close(int fd);

/* 1: fence[0] up to fence[1] is the first one in [start, end); 0: there is none. */
int fences_find(int fd, uintptr_t start, uintptr_t end, uintptr_t fence[2]);

#endif
