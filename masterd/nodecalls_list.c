/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "masterd/libraries.h"
#include "masterd/listen.h"
#include "masterd/master.h"
#include "masterd/nodecalls_impl.h"
#include "masterd/proctable.h"

_Static_assert(CONF_MAX_GROUPS == BPROC_MAX_NODEGROUPS &&
               CONF_MAX_GROUP_NAME == BPROC_MAX_GROUP_NAME &&
               CONF_MAX_GROUP_SPEC == BPROC_MAX_GROUP_SPEC, "the groups of a file fit a reply");

int node_list_run(struct call *call)
{
    node_list_ret *ret = ANSWER(call, node_list_ret);
    unsigned size = (unsigned)nodetable_size();

    if (!ret)
        return call_no_memory(call);
    ret->self = call->caller->node;
    ret->master_addr = listen_address();
    ret->master_port = (unsigned)master.conf->port;
    ret->nodes.nodes_val = calloc(size + 1, sizeof(node_record));
    if (!ret->nodes.nodes_val)
        return call_no_memory(call);
    ret->nodes.nodes_len = size;
    for (unsigned i = 0; i < size; i++)
        node_fill_record(node_find((int)i), &ret->nodes.nodes_val[i]);
    return 0;
}

int group_list_run(struct call *call)
{
    group_list_ret *ret = ANSWER(call, group_list_ret);
    const struct conf *conf = master.conf;

    if (!ret)
        return call_no_memory(call);
    ret->groups.groups_val = calloc(conf->ngroups + 1, sizeof(group_record));
    if (!ret->groups.groups_val)
        return call_no_memory(call);
    for (unsigned i = 0; i < conf->ngroups; i++) {
        group_record *record = &ret->groups.groups_val[ret->groups.groups_len++];

        record->name = strdup(conf->groups[i].name);
        record->spec = strdup(conf->groups[i].spec);
        if (!record->name || !record->spec)
            return call_no_memory(call);
    }
    return 0;
}

int proc_list_run(struct call *call)
{
    proc_list_ret *ret;
    node_arg arg;

    if (DECODE(call, node_arg, &arg) < 0)
        return -EPROTO;
    if (arg.node != BPROC_NODE_ANY && arg.node != BPROC_NODE_MASTER && !node_find(arg.node))
        return call_refuse(call, BE_INVALIDNODE, "there is no node %d", arg.node);
    ret = ANSWER(call, proc_list_ret);
    if (!ret || proctable_list(arg.node, ret) < 0)
        return call_no_memory(call);
    return 0;
}

int lib_list_run(struct call *call)
{
    const lib_list *list = libraries_list();
    lib_list *ret = ANSWER(call, lib_list);

    if (!ret)
        return call_no_memory(call);
    ret->lib_list_val = calloc(list->lib_list_len + 1, sizeof(*ret->lib_list_val));
    if (!ret->lib_list_val)
        return call_no_memory(call);
    for (; ret->lib_list_len < list->lib_list_len; ret->lib_list_len++) {
        char *pattern = strdup(list->lib_list_val[ret->lib_list_len]);

        if (!pattern)
            return call_no_memory(call);
        ret->lib_list_val[ret->lib_list_len] = pattern;
    }
    return 0;
}
