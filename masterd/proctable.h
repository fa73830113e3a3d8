/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes that run on nodes. An entry is made when a transfer is about to be committed, or
 * when a node names the process after a restart of ours. It ends when the node has reported the
 * exit and nobody here waits for it any more (the ghost has gone), or with the node.
 *
 * A process that was forked on a node comes in when the node reports it, and goes on without a
 * ghost if there can be none. It has its parent's rights, as the node's word gives none. Their
 * number is bounded for each user; those beyond are not entered, nor are those whose user has
 * nothing else on that node.
 *
 * A ghost that goes before its process condemns it: the node is told to kill it, and the entry
 * stays, out of sight, to keep the number taken until the node reports the end.
 */
#ifndef MASTERD_PROCTABLE_H
#define MASTERD_PROCTABLE_H

#include <sys/types.h>

#include "masterd/nodetable.h"

struct ghost;
struct proc;
struct rights;

/* NULL with errno: EEXIST while an older process has that number there, EAGAIN, ENOMEM. */
struct proc *proc_new(int pid, int node);

/* Its parent, as it was made, and what it may do; it holds on to these itself. */
void proc_describe(struct proc *proc, int ppid, struct rights *rights);
int proc_ppid(const struct proc *proc);
int proc_node(const struct proc *proc);

/* NULL while nothing is known that the node has not said; borrowed. */
struct rights *proc_rights(struct proc *proc);

/* It is on that node from now on, and so is its ghost's. 0; -EEXIST when its number is taken. */
int proc_move(struct proc *proc, int node);

/* Not the condemned ones. The second on whichever node, home included. */
struct proc *proc_find(int pid, int node);
struct proc *proc_find_anywhere(int pid);

/* A process on that node, not over, whose parent has that number; or NULL. */
struct proc *proc_child(int ppid, int node);
int proc_pid(const struct proc *proc);

/* As the process has made it; NULL when it is as it was at the launch. Borrowed. */
const group_msg *proc_group(const struct proc *proc);

/* Whether a node named it and its ghost has not come back yet; 0 while a move makes one. */
int proc_awaits_ghost(const struct proc *proc);

/* Whether a ghost that comes may be its: there is none before somebody was told to make it. */
int proc_takes_ghost(const struct proc *proc);
void proc_ghost_made(struct proc *proc);

int proc_is_stopped(const struct proc *proc);

/* Its end was reported. */
int proc_is_over(const struct proc *proc);

/*
 * A ghost is being made for it and connects within some seconds, or will not come. Until then the
 * report of its end waits.
 */
void proc_expect(struct proc *proc, int seconds);
void proc_unexpect(struct proc *proc);

/* The ghost is there: it gets at once what was reported before. */
void proc_attach(struct proc *proc, struct ghost *ghost);

/*
 * Its ghost is gone, or its transfer failed late: kills it unless its exit was reported. The second
 * ends a ghost that is still there.
 */
void proc_release(struct proc *proc);
void proc_drop(struct proc *proc);

/* From the node. */
void proctable_exited(struct node *node, int pid, int status);
void proctable_stopped(struct node *node, int pid, int stopped, int status);

/*
 * A process named in a HELLO of a slave that knew another masterd: it waits for its ghost to come
 * back, and is killed when none does. 0, or -errno when it cannot be kept.
 */
int proctable_adopt(struct node *node, int pid, uid_t uid);

/* Forked on the node: enters it and asks for a ghost. It can go on without one. */
void proctable_born(struct node *node, const born_msg *said);
void proctable_group(struct node *node, const group_msg *group);

/*
 * Forked on another node and about to run on this one: enters it; NULL when there are too many.
 * Then proc_ask_ghost(), when it runs.
 */
struct proc *proctable_passed(struct node *node, const born_msg *born, struct rights *rights);
void proc_ask_ghost(struct proc *proc, const born_msg *born);

/* For some seconds after our start slaves and ghosts of the time before it come in any order. */
int proctable_is_settling(void);

/* All of a HELLO are known: ghosts of that node without a process have no hope left. */
void proctable_adopted(struct node *node);

/*
 * Whether a number is that of a process, group or session of this user's, of others' alone, or of
 * none, here and on nodes.
 */
enum number_use { USE_NONE, USE_OWN, USE_OTHERS };
enum number_use proctable_use(int number, uid_t uid);

/* Forgets all of a node and kills their ghosts. How many there were. */
unsigned proctable_node_lost(struct node *node);

/* Processes on a node (BPROC_NODE_ANY: all) to ret->procs, malloc'd. 0 or -ENOMEM. */
int proctable_list(int node, proc_list_ret *ret);

#endif
