/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Node specifications: what users write for a set of nodes.
 *
 *   5 n5 .5          that node, whether it is configured or not
 *   2-6 n2-n6 2-     range, both ends included, open to the highest; unconfigured nodes are left
 *                    out, a descending one is empty
 *   -1 n-1 master    the master
 *   self localhost   the node the tool runs on; so does that machine's host name
 *   all              every node, without the master
 *   allup up         those in that state; any state's name may stand there
 *   allnotup notup   those not in that state
 *   10.0.4.100       the node with that address
 *   a,b,c            all of these, in that order; a node named twice is there twice
 *
 * A list starts zeroed, grows by nodespec_add() and ends with nodespec_free().
 */
#ifndef TOOLS_NODESPEC_H
#define TOOLS_NODESPEC_H

#include <stddef.h>

#include "tools/tool.h"

struct nodespec {
    int *nodes;
    size_t count;
    size_t room;
};

/*
 * Appends what `spec` denotes in `table`. 0; -EINVAL with a reason that names the offending part
 * in text[len], -E2BIG beyond NODESPEC_MAX nodes, -ENOMEM. What was appended before the offending
 * part stays.
 */
int nodespec_add(struct nodespec *out, const char *spec, const struct tool_nodes *table,
                 char *text, size_t len);

#define NODESPEC_MAX 65536

void nodespec_free(struct nodespec *out);

/* State of that name, -1 if it is none. */
int nodespec_state(const char *name);

/* Name of a state; "unknown" for other numbers. Not freed. */
const char *nodespec_state_name(int state);

#endif
