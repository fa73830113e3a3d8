/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The orders that a client gives and then waits for: which there are, who may, how long they take.
 * Those of nodepower.h have states to go with them.
 */
#ifndef MASTERD_NODEORDER_H
#define MASTERD_NODEORDER_H

#include "common/conn.h"
#include "masterd/caller.h"

/* Answers such a call, a refusal at once, else when the node has answered. */
void nodeorder_take(struct conn *conn, const struct caller *caller,
                    const struct frame_header *header, const uint8_t *body);

#endif
