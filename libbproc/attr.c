/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/node.h"

#define PREFIX "bproc."
#define STATE PREFIX "state"

_Static_assert(BPROC_ATTR_NAME_MAX == BPROC_MAX_ATTR_NAME &&
               BPROC_ATTR_VALUE_MAX == BPROC_MAX_ATTR_VALUE,
               "the bounds on the wire are those of the interface");

/* The name in full. */
static int name_complete(const char *name, char full[BPROC_ATTR_NAME_MAX + 1])
{
    size_t missing = name && strncmp(name, PREFIX, strlen(PREFIX)) != 0 ? strlen(PREFIX) : 0;

    if (!name || *name == '\0')
        return -EINVAL;
    if (missing + strlen(name) > BPROC_ATTR_NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(full, PREFIX, missing);
    strcpy(full + missing, name);
    return 0;
}

static int arguments_check(const char *name, const void *value, int size, char *full)
{
    if (size < 0)
        return -EINVAL;
    if (size > 0 && !value)
        return -EFAULT;
    return name_complete(name, full);
}

static int value_take(const attr_ret *ret, void *value, int size)
{
    unsigned len = ret->value.value_len;

    if (size > 0 && len > (unsigned)size)
        return -ERANGE;
    if (size > 0)
        memcpy(value, ret->value.value_val, len);
    return (int)len;
}

int bproc_getnodeattr(int node, const char *name, void *value, int size)
{
    char full[BPROC_ATTR_NAME_MAX + 1];
    attr_arg arg = { .node = node, .name = full };
    attr_ret ret;
    int result = arguments_check(name, value, size, full);

    if (!result)
        result = node_resolve(&arg.node);
    if (!result)
        result = client_call_node(P_NODE_ATTR, FRAME_XDR(attr_arg), &arg, FRAME_XDR(attr_ret),
                                  &ret, sizeof(ret));
    if (!result) {
        result = value_take(&ret, value, size);
        frame_free(FRAME_XDR(attr_ret), &ret, sizeof(ret));
    }
    return client_result(result);
}

/* A word without NUL. */
static int state_set(int node, const void *value, int size)
{
    char *word = strndup(value ? value : "", (size_t)size);
    int error = word ? node_set_word(node, word) : -ENOMEM;

    free(word);
    return error;
}

int bproc_setnodeattr(int node, const char *name, const void *value, int size)
{
    char full[BPROC_ATTR_NAME_MAX + 1];
    set_attr_arg arg = { .node = node };
    int error = arguments_check(name, value, size, full);

    if (!error && size > BPROC_ATTR_VALUE_MAX)
        error = -E2BIG;
    if (!error && strcmp(full, STATE) == 0)
        return client_result(state_set(node, value, size));
    arg.attr.name = full;
    arg.attr.value.value_len = (unsigned)size;
    arg.attr.value.value_val = (char *)(uintptr_t)value;
    if (!error)
        error = node_resolve(&arg.node);
    if (!error)
        error = client_call_node(P_NODE_SET_ATTR, FRAME_XDR(set_attr_arg), &arg, NULL, NULL, 0);
    return client_result(error);
}
