/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The record of a node's init, NODEDIR/init: its pid and its start time. Written by bplab-run boot
 * before the init does anything, read by every later command; the start time tells a pid that the
 * kernel has given to somebody else since.
 */

#ifndef BPROC_LAB_PIDFILE_H
#define BPROC_LAB_PIDFILE_H

#include <sys/types.h>

/* Start time of PID in clock ticks since boot, as in field 22 of its stat file; 0 when there is no
 * such process. */
unsigned long long pidfile_start_time(pid_t pid);

/* Writes the record of PID into NODEDIR, whole or not at all. 0 or -errno. */
int pidfile_write(const char *nodedir, pid_t pid);

/* Descriptor (close-on-exec) of the init recorded in NODEDIR, and its pid in *PID; the caller
 * closes it. -ESRCH when there is no record or that process is gone, else -errno. */
int pidfile_open(const char *nodedir, pid_t *pid);

#endif
