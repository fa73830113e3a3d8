/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that shall get a signal. The picture may be old and numbers are used again: what is
 * held from before the user is asked is the process that he sees.
 *
 * Life: target_open(), target_signal() or not, close().
 */
#ifndef TOOLS_BPTOP_TARGET_H
#define TOOLS_BPTOP_TARGET_H

#include "tools/bptop_sample.h"

/*
 * Holds a process of the sample: a descriptor, or -EOPNOTSUPP on a node, -ESRCH when the master
 * does not know it (any more), another -errno. Blocks for the node.
 */
int target_open(const struct sample *sample, const struct top_proc *proc);

/* 0; -ESRCH when it has ended, -EPERM. Does not block. */
int target_signal(int target, int signo);

#endif
