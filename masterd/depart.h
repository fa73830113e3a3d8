/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes of the master that leave for a node: masterd's part in moves/move.h, and who may go
 * where, for those of nodes as well.
 */
#ifndef MASTERD_DEPART_H
#define MASTERD_DEPART_H

#include "masterd/caller.h"
#include "masterd/nodetable.h"
#include "moves/move.h"

/* Finds CRIU and starts the mover. 0, or -errno with a reason in text[len]. Blocking. */
int depart_start(char *text, size_t len);
void depart_stop(void);

/*
 * The node: in this order, is it known, connected, another than the asker's, permitted. 0 with
 * *node (NULL: the asker is there already), or a positive errno with a reason.
 */
int depart_check_node(const struct caller *caller, int number, struct node **node, char *text,
                      size_t len);

/* The flags that are meant: -1 stands for the node's default. */
int depart_flags(int flags, const struct node *node);

/* Answers P_MOVE_ASK: 0 with *ret, or a positive errno with a reason. */
int depart_ask(const struct caller *caller, const move_ask_arg *arg, move_ask_ret *ret, char *text,
               size_t len);

#endif
