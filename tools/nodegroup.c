/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libbproc/client.h"
#include "tools/nodegroup.h"

static struct {
    struct nodegroup *list;         /* NULL: not fetched yet */
    size_t count;
} groups;

static int groups_fetch(void)
{
    static group_list_ret ret;      /* keeps the strings */
    int error = client_call(P_GROUP_LIST, NULL, NULL, FRAME_XDR(group_list_ret), &ret,
                            sizeof(ret));

    if (error)
        return error;
    groups.list = calloc(ret.groups.groups_len + 1, sizeof(*groups.list));
    if (!groups.list)
        return -ENOMEM;
    groups.count = ret.groups.groups_len;
    for (size_t i = 0; i < groups.count; i++)
        groups.list[i] = (struct nodegroup) { ret.groups.groups_val[i].name,
                                              ret.groups.groups_val[i].spec };
    return 0;
}

int nodegroup_list(const struct nodegroup **list, size_t *count)
{
    int error = groups.list ? 0 : groups_fetch();

    *list = groups.list;
    *count = groups.count;
    return error;
}

int nodegroup_find(const char *name, const char **spec)
{
    const struct nodegroup *list;
    size_t count;
    int error = nodegroup_list(&list, &count);

    for (size_t i = 0; i < count && !error; i++)
        if (strcmp(list[i].name, name) == 0) {
            *spec = list[i].spec;
            return 0;
        }
    return error ? error : -ENOENT;
}
