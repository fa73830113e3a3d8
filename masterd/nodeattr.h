/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attributes of a node: names with values, a small number. They belong to the node as it is now:
 * made when it connects, out of what it says of itself, changed by root, cleared when it is lost;
 * the store keeps them over a restart of masterd. nodetable.h holds them and does the writing.
 */
#ifndef MASTERD_NODEATTR_H
#define MASTERD_NODEATTR_H

#include "proto/bproc.h"

struct nodeattr {
    char name[BPROC_MAX_ATTR_NAME + 1];
    unsigned len;
    uint8_t value[BPROC_MAX_ATTR_VALUE];
};

/* Zero is empty. */
struct nodeattrs {
    unsigned count;
    struct nodeattr *list;
};

/* NULL: there is none. Good until the next change. */
const struct nodeattr *nodeattr_find(const struct nodeattrs *attrs, const char *name);

/*
 * Makes it or changes it. 0; -ENOSPC when there are BPROC_MAX_ATTRS others; -EINVAL for an empty
 * name or one that is too long, -E2BIG for such a value; -ENOMEM.
 */
int nodeattr_set(struct nodeattrs *attrs, const char *name, const void *value, unsigned len);

void nodeattr_clear(struct nodeattrs *attrs);

#endif
