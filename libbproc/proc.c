/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/node.h"
#include "libbproc/proc.h"

static int list_fetch(int node, proc_list_ret *list)
{
    node_arg arg = { .node = node };
    int error = node_resolve(&arg.node);

    if (error)
        return error;
    return client_call_node(P_PROC_LIST, FRAME_XDR(node_arg), &arg, FRAME_XDR(proc_list_ret), list,
                            sizeof(*list));
}

int proc_node(int pid, int *node)
{
    proc_list_ret list;
    int error = list_fetch(BPROC_NODE_ANY, &list);

    *node = BPROC_NODE_MASTER;
    if (error)
        return error;
    for (unsigned i = 0; i < list.procs.procs_len; i++)
        if (list.procs.procs_val[i].pid == pid)
            *node = list.procs.procs_val[i].node;
    frame_free(FRAME_XDR(proc_list_ret), &list, sizeof(list));
    return 0;
}

int bproc_pidnode(int pid)
{
    int node;
    int error = proc_node(pid, &node);

    errno = -error;
    return node == BPROC_NODE_MASTER ? BPROC_NODE_NONE : node;
}

int bproc_pidghostnode(int pid)
{
    return bproc_pidnode(pid) == BPROC_NODE_NONE ? BPROC_NODE_NONE : BPROC_NODE_MASTER;
}

int bproc_proclist(int node, struct bproc_proc_info_t **list)
{
    struct bproc_proc_info_t *infos = NULL;
    proc_list_ret ret;
    unsigned count;
    int error;

    if (!list)
        return client_result(-EINVAL);
    *list = NULL;
    error = list_fetch(node, &ret);
    if (error)
        return client_result(error);
    count = ret.procs.procs_len;
    if (count > 0)
        infos = calloc(count, sizeof(*infos));
    for (unsigned i = 0; infos && i < count; i++)
        infos[i] = (struct bproc_proc_info_t) { .pid = ret.procs.procs_val[i].pid,
                                                .node = ret.procs.procs_val[i].node };
    frame_free(FRAME_XDR(proc_list_ret), &ret, sizeof(ret));
    if (count > 0 && !infos)
        return client_result(-ENOMEM);
    *list = infos;
    return (int)count;
}
