/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/nodeattr.h"

static struct nodeattr *find(const struct nodeattrs *attrs, const char *name)
{
    for (unsigned i = 0; i < attrs->count; i++)
        if (strcmp(attrs->list[i].name, name) == 0)
            return &attrs->list[i];
    return NULL;
}

const struct nodeattr *nodeattr_find(const struct nodeattrs *attrs, const char *name)
{
    return find(attrs, name);
}

static struct nodeattr *add(struct nodeattrs *attrs, const char *name)
{
    struct nodeattr *more = realloc(attrs->list, (attrs->count + 1) * sizeof(*more));

    if (!more)
        return NULL;
    attrs->list = more;
    strcpy(more[attrs->count].name, name);
    return &more[attrs->count++];
}

int nodeattr_set(struct nodeattrs *attrs, const char *name, const void *value, unsigned len)
{
    struct nodeattr *attr;

    if (*name == '\0' || strlen(name) > BPROC_MAX_ATTR_NAME)
        return -EINVAL;
    if (len > BPROC_MAX_ATTR_VALUE)
        return -E2BIG;
    attr = find(attrs, name);
    if (!attr && attrs->count == BPROC_MAX_ATTRS)
        return -ENOSPC;
    if (!attr)
        attr = add(attrs, name);
    if (!attr)
        return -ENOMEM;
    attr->len = len;
    if (len > 0)
        memcpy(attr->value, value, len);
    return 0;
}

void nodeattr_clear(struct nodeattrs *attrs)
{
    free(attrs->list);
    *attrs = (struct nodeattrs){ .count = 0 };
}
