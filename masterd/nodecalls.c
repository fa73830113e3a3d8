/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "masterd/depart.h"
#include "masterd/nodecalls_impl.h"
#include "masterd/stats.h"

struct nodecall {
    bproc_proc proc;
    int reads_only;         /* a slave may pass it on */
    int root_only;
    int (*run)(struct call *call);
};

int call_refuse(struct call *call, int error, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(call->answer->text, sizeof(call->answer->text), fmt, args);
    va_end(args);
    return error;
}

void *call_answer(struct call *call, xdrproc_t encode, size_t size)
{
    call->answer->ret = calloc(1, size);
    call->answer->ret_size = size;
    call->answer->encode = encode;
    return call->answer->ret;
}

int call_no_memory(struct call *call)
{
    return call_refuse(call, ENOMEM, "out of memory");
}

static int whoami_run(struct call *call)
{
    whoami_ret *ret = ANSWER(call, whoami_ret);

    if (!ret)
        return call_no_memory(call);
    ret->node = call->caller->node;
    ret->release = strdup(PACKAGE_VERSION);
    return ret->release ? 0 : call_no_memory(call);
}

/* The master lets everybody in; its own permissions are the system's. */
static int access_run(struct call *call)
{
    access_arg arg;
    struct node *node;

    if (DECODE(call, access_arg, &arg) < 0)
        return -EPROTO;
    if (arg.mode != 0 && arg.mode != BPROC_X_OK)
        return call_refuse(call, EINVAL, "unknown access mode %d", arg.mode);
    if (arg.node == BPROC_NODE_MASTER)
        return 0;
    node = node_find(arg.node);
    if (!node)
        return call_refuse(call, BE_INVALIDNODE, "there is no node %d", arg.node);
    if (arg.mode != 0 && caller_may_use(call->caller, node) < 0)
        return call_refuse(call, EPERM, "node %d does not let uid %u in", arg.node,
                           (unsigned)call->caller->uid);
    return 0;
}

static int move_ask_run(struct call *call)
{
    move_ask_arg arg;
    move_ask_ret *ret;

    if (DECODE(call, move_ask_arg, &arg) < 0)
        return -EPROTO;
    ret = ANSWER(call, move_ask_ret);
    if (!ret)
        return call_no_memory(call);
    return depart_ask(call->caller, &arg, ret, call->answer->text, sizeof(call->answer->text));
}

static int stats_run(struct call *call)
{
    stats_ret *ret = ANSWER(call, stats_ret);

    return ret && stats_fill(ret) == 0 ? 0 : call_no_memory(call);
}

/* A process of the master is known to nobody but its parent. */
static int detach_run(struct call *call)
{
    detach_ret *ret;
    detach_arg arg;

    if (DECODE(call, detach_arg, &arg) < 0)
        return -EPROTO;
    ret = ANSWER(call, detach_ret);
    if (!ret)
        return call_no_memory(call);
    ret->fork = 1;
    return 0;
}

static const struct nodecall calls[] = {
    { P_WHOAMI, 1, 0, whoami_run },
    { P_NODE_LIST, 1, 0, node_list_run },
    { P_GROUP_LIST, 1, 0, group_list_run },
    { P_PROC_LIST, 1, 0, proc_list_run },
    { P_ACCESS, 1, 0, access_run },
    { P_NODE_ATTR, 1, 0, attr_run },
    { P_NODE_SET_ATTR, 0, 1, set_attr_run },
    { P_MOVE_ASK, 1, 0, move_ask_run },
    { P_NODE_SET_STATE, 0, 1, set_state_run },
    { P_NODE_SET_PERM, 0, 0, set_perm_run },
    { P_DETACH, 0, 1, detach_run },
    { P_LIB_LIST, 1, 0, lib_list_run },
    { P_LIB_CHANGE, 0, 1, lib_change_run },
    { P_TOKEN_CREATE, 0, 1, token_create_run },
    { P_STATS, 1, 0, stats_run },
};

static const struct nodecall *nodecall_find(bproc_proc proc)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (calls[i].proc == proc)
            return &calls[i];
    return NULL;
}

int nodecall_known(bproc_proc proc)
{
    return nodecall_find(proc) != NULL;
}

int nodecall_run(const struct caller *caller, bproc_proc proc, int passed, const uint8_t *body,
                 size_t len, struct answer *answer)
{
    struct call call = { .caller = caller, .body = body, .len = len, .answer = answer };
    const struct nodecall *nodecall = nodecall_find(proc);

    memset(answer, 0, sizeof(*answer));
    if (!nodecall)
        return -EPROTO;
    if (passed && !nodecall->reads_only)
        return call_refuse(&call, EOPNOTSUPP, "this can be asked on the master only");
    if (nodecall->root_only && caller->uid != 0)
        return call_refuse(&call, EPERM, "only root may do this");
    return nodecall->run(&call);
}

void answer_free(struct answer *answer)
{
    if (!answer->ret)
        return;
    xdr_free(answer->encode, answer->ret);
    free(answer->ret);
    answer->ret = NULL;
}
