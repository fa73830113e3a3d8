/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process of a vector that waits at its gate on a node makes others of the same vector there:
 * they are forked, not restored. Each is a child of the same parent, with a gate of its own.
 */
#ifndef BPROC_GATEFORK_H
#define BPROC_GATEFORK_H

#include "proto/msg.h"

/*
 * Takes a P_GATE_FORK that came at `gate` and answers it there. Returns twice: in the child `gate`
 * is its own, and its streams are. 0 or -errno, after which this one is to end. The message stays
 * the caller's. With all signals blocked. Does not block.
 */
int gatefork_take(int gate, struct msg *msg);

#endif
