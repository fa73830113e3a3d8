/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine as a whole is doing, as its kernel tells: load, processors, memory.
 */
#ifndef BPROC_NODELOAD_H
#define BPROC_NODELOAD_H

#include "proto/bproc.h"

/*
 * Fills the machine's part of *usage: cpus, load, times, memory. What the kernel does not tell
 * stays 0. Does not block: nothing of any process is looked at.
 */
void nodeload_read(node_usage *usage);

#endif
