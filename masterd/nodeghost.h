/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ghosts that stand on nodes, for processes whose parent lives on another node than they do. The
 * node has the ghost itself; here is known which nodes have one of which process, and what becomes
 * of the process is told to them.
 *
 * An entry is made when the process is entered in the table (or when the node names the ghost after
 * a restart of ours) and ends when the ghost has been told the exit, when the node says that it has
 * gone, or with the node.
 *
 * What a node says of a process that is not its own counts for little: a signal, if the process is
 * the child whose ghost it has; the end of a child, if that was left behind there.
 */
#ifndef MASTERD_NODEGHOST_H
#define MASTERD_NODEGHOST_H

#include "masterd/nodetable.h"

struct proc;

/*
 * For a process whose parent is `parent`, and which was on the node `from` when that, or the
 * process itself, left; both count for the first of its ghosts. 0, also when it is there
 * already; -ENOMEM, -EAGAIN when there are too many.
 */
int nodeghost_add(int pid, int node, int parent, int from);

/*
 * A node names a ghost in its HELLO: after a restart of ours it is kept, if its process turns up in
 * the next seconds, and told if that has ended; when we had given the node up (`lost`) it has to
 * go.
 */
void nodeghost_adopt(const ghost_record *ghost, int node, int lost);
void nodeghost_remove(int pid, int node);

/* Whether a ghost on that node stands for this process. */
int nodeghost_stands_for(const struct proc *proc, int pid, int node);

/* Whether a node has a ghost of it as a child of somebody other than `parent`. */
int nodeghost_is_others(int pid, int parent);

/*
 * The parent of a process that was left behind, if that node has its ghost, and where the process
 * is, in *from; or 0.
 */
int nodeghost_parent(int pid, int node, int *from);

/* What happened to a process, to all its ghosts on nodes. */
void nodeghosts_exited(int pid, int status);
void nodeghosts_stopped(int pid, int stopped, int status);

/* The same for nodes that are not back yet, soon after our restart. */
void nodeghost_exited_early(int pid, int status);

/* The same of a child that was left behind there; parent 0: of whomever. Others' are ignored. */
void nodeghosts_changed(int pid, int status, int from, int parent);

/* It has another group or session; the second tells what it has to a ghost that is new. */
void nodeghosts_group(const group_msg *group);
void nodeghost_group(int pid, int node);

/* The node's ghosts are gone with it. */
void nodeghosts_node_lost(int node);

#endif
