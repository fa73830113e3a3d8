/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reboot, halt and pwroff of nodes. The node is told and runs its own command for it; from then on
 * it is in the state of that name, also when it is gone, until it connects anew. If its command
 * fails it is what it was before.
 */
#ifndef MASTERD_NODEPOWER_H
#define MASTERD_NODEPOWER_H

#include "common/conn.h"
#include "masterd/caller.h"

/* Answers P_NODE_POWER of a client, at once or when the node has gone. */
void nodepower_take(struct conn *conn, const struct caller *caller,
                    const struct frame_header *header, const uint8_t *body);

/* Tells a connected node; nobody waits. 0 or -errno. */
int nodepower_start(struct node *node, node_state what);

/* The node does something else than it was told. */
void nodepower_changed(struct node *node, node_state what);

#endif
