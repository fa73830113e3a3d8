/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections that a process is to have: one for each stream of kind STREAM_CONNECT, opened one
 * after the other so that they are accepted in that order.
 */
#ifndef BPROC_CONNECTBACK_H
#define BPROC_CONNECTBACK_H

#include <stdint.h>

#include "proto/bproc.h"

/*
 * Connects to where the stream leads, `home` (IPv4, host byte order) standing for the machine that
 * the process leaves, and, if the stream asks for it, sends BProc 4's header: the pid and the
 * descriptor number. A blocking socket, or -errno. Blocks for at most ten seconds.
 */
int connectback_open(const stream_desc *stream, uint32_t home, int pid);

/* A socket that is at its end, for a process whose connection could not be made. -errno. */
int connectback_ended(void);

#endif
