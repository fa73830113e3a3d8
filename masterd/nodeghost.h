/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ghosts that stand on nodes, for processes whose parent lives on another node than they do. The
 * node has the ghost itself; here is known which nodes have one of which process, and what becomes
 * of the process is told to them.
 *
 * An entry is made when the process is entered in the table (or when the node names the ghost after
 * a restart of ours) and ends when the ghost has been told the exit, when the node says that it has
 * gone, or with the node.
 */
#ifndef MASTERD_NODEGHOST_H
#define MASTERD_NODEGHOST_H

#include "masterd/nodetable.h"

/* 0, also when it is there already; -ENOMEM, -EAGAIN when there are too many. */
int nodeghost_add(int pid, int node);
void nodeghost_remove(int pid, int node);
int nodeghost_is_known(int pid, int node);

/* What happened to a process, to all its ghosts on nodes. */
void nodeghosts_exited(int pid, int status);
void nodeghosts_stopped(int pid, int stopped, int status);
void nodeghosts_changed(int pid, int status);

/* The node's ghosts are gone with it. */
void nodeghosts_node_lost(int node);

#endif
