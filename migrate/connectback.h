/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections to the port that a caller of _bproc_rfork_io() listens on: one for each stream of
 * kind STREAM_CONNECT, opened one after the other so that they are accepted in that order.
 */
#ifndef BPROC_CONNECTBACK_H
#define BPROC_CONNECTBACK_H

#include <stdint.h>

#include "proto/bproc.h"

/*
 * Connects to `port` at IPv4 address `addr` (host byte order) and, if the stream asks for it, sends
 * BProc 4's header: the pid and the descriptor number. A blocking socket, or -errno. Blocks for at
 * most ten seconds.
 */
int connectback_open(uint32_t addr, int port, const stream_desc *stream, int pid);

#endif
