/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a process runs. */
#ifndef BPROC_PROC_H
#define BPROC_PROC_H

/*
 * Node that `pid` of the master's process space runs on to *node, BPROC_NODE_MASTER also when it is
 * none of BProc's. 0 or a negative errno. Blocks for the daemon.
 */
int proc_node(int pid, int *node);

#endif
