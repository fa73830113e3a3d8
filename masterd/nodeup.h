/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The script that makes a node ready when it connects: run with the node's number as its one
 * argument, in a process group of its own, stdin /dev/null, output to LOGDIR/node.N (emptied each
 * time). Its exit status makes the node up or puts it in error; no script at all is success, one
 * that takes longer than `nodeuptimeout` is ended and counts as failed. At most 64 run at a time;
 * the nodes that connect meanwhile wait their turn.
 */
#ifndef MASTERD_NODEUP_H
#define MASTERD_NODEUP_H

#include "masterd/nodetable.h"

/* Starts it for a node in the state boot. A failure to start it counts as the script's. */
void nodeup_start(struct node *node);

/* The node is gone: ends the script and what it started. */
void nodeup_cancel(struct node *node);

#endif
