/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a helper program of ours: default signals, a process group of its own, no stray
 * descriptors.
 */
#ifndef BPROC_SPAWN_H
#define BPROC_SPAWN_H

#include <sys/types.h>

/*
 * Runs argv[0] (an absolute path; argv ends with NULL). stdin is /dev/null; `out_fd`, unless -1,
 * becomes stdout and stderr; `three`, unless -1, becomes descriptor 3. Both stay the caller's.
 * The pid, which is that of its group at once, or -errno. A program that cannot be executed exits
 * with 255, or 127 when it is missing.
 */
pid_t spawn(char *const argv[], int out_fd, int three);

#endif
