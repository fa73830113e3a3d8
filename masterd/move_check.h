/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a process may go where its owner wants it: the rules of move.c. */
#ifndef MASTERD_MOVE_CHECK_H
#define MASTERD_MOVE_CHECK_H

#include "masterd/caller.h"
#include "masterd/nodetable.h"
#include "masterd/task.h"

/*
 * The node: in this order, is it known, connected, ours, permitted. 0 with *node (NULL: the asker
 * is there already), or a positive errno with a reason.
 */
int move_check_node(const struct caller *caller, int number, struct node **node, char *text,
                    size_t len);

/* The flags that are meant: -1 stands for the node's default. */
int move_check_flags(int flags, const struct node *node);

/*
 * The process: the caller's child, or for an exec the caller itself, with the caller's ids alone.
 * 0 with *task filled and *pidfd (the caller of this closes it), or a positive errno with a reason.
 */
int move_check_task(const struct caller *caller, const move_handover_arg *arg, struct task *task,
                    int *pidfd, char *text, size_t len);

/* Streams and descriptors: right kinds, right number. 0, or a positive errno with a reason. */
int move_check_streams(const move_handover_arg *arg, const int *fds, unsigned nfds, char *text,
                       size_t len);

#endif
