/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a caller may do with a node. */
#ifndef MASTERD_CALLER_H
#define MASTERD_CALLER_H

#include "common/caller.h"

struct node;

/* 0, or -EPERM when the node's owner, group, mode or state do not let the caller use it. */
int caller_may_use(const struct caller *caller, const struct node *node);

/* 0, or -EPERM when the caller may not change this permission of the node to `value`. */
int caller_may_change(const struct caller *caller, const struct node *node, perm_what what,
                      unsigned value);

#endif
