/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What bpstat tells about processes. */
#ifndef TOOLS_BPSTAT_PROC_H
#define TOOLS_BPSTAT_PROC_H

#include <stddef.h>
#include <sys/bproc.h>

/*
 * All remote processes by number, malloc'd. How many, or a negative errno. Blocks for the daemon.
 */
int procs_load(struct bproc_proc_info_t **procs);

/*
 * Prints the remote processes, those on `nodes` only if `count` is not 0. 0 or a negative errno.
 * Blocks for the daemon.
 */
int proc_print(const int *nodes, size_t count);

/*
 * Copies the output of ps(1) from stdin to stdout with the node of each process in front. 0,
 * -EINVAL when there is no PID in its first line, another negative errno. Blocks for stdin.
 */
int proc_filter(void);

#endif
