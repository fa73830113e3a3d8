/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this machine is, as the attributes that its node has from the start. */
#ifndef SLAVED_HOSTATTR_H
#define SLAVED_HOSTATTR_H

#include "proto/bproc.h"

#define HOSTATTR_COUNT 3

/*
 * bproc.cpus, bproc.hz, bproc.mem into list[HOSTATTR_COUNT]; what the kernel does not tell is left
 * out. How many; the strings are good until the next call. Does not block.
 */
unsigned hostattr_fill(node_attr *list);

#endif
