/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals that a node passes on for a relative of one of its processes, who lives elsewhere: the
 * child whose ghost it has, or the parent for whom something stands there. Each goes to where that
 * process is, or is forgotten when the node's word for it does not count. Nothing here blocks.
 */
#ifndef MASTERD_KIN_H
#define MASTERD_KIN_H

#include "proto/bproc.h"

/* A ghost on `node` got it. Counts if the node has the ghost and its parent. */
void kin_signal_child(const signal_msg *msg, int node);

/*
 * A process of the user msg->from_uid sent it from `node` to the parent of a process there. Counts
 * if that user, or root, has processes there, and kill(2) would let him.
 */
void kin_signal_parent(const signal_msg *msg, int node);

#endif
