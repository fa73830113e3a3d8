/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "common/log.h"
#include "masterd/depart.h"
#include "masterd/libraries.h"
#include "masterd/link.h"
#include "masterd/listen.h"
#include "masterd/master.h"
#include "masterd/nodecalls.h"
#include "masterd/nodepower.h"
#include "masterd/nodetable.h"
#include "masterd/proctable.h"
#include "masterd/stats.h"
#include "masterd/token.h"

#define MODE_BITS 0111u

_Static_assert(CONF_MAX_GROUPS == BPROC_MAX_NODEGROUPS &&
               CONF_MAX_GROUP_NAME == BPROC_MAX_GROUP_NAME &&
               CONF_MAX_GROUP_SPEC == BPROC_MAX_GROUP_SPEC, "the groups of a file fit a reply");

struct call {
    const struct caller *caller;
    const uint8_t *body;
    size_t len;
    struct answer *answer;
};

struct nodecall {
    bproc_proc proc;
    int reads_only;         /* a slave may pass it on */
    int root_only;
    int (*run)(struct call *call);
};

__attribute__((format(printf, 3, 4)))
static int refuse(struct call *call, int error, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(call->answer->text, sizeof(call->answer->text), fmt, args);
    va_end(args);
    return error;
}

static void *answer_alloc(struct call *call, xdrproc_t encode, size_t size)
{
    call->answer->ret = calloc(1, size);
    call->answer->ret_size = size;
    call->answer->encode = encode;
    return call->answer->ret;
}

#define ANSWER(call, type) answer_alloc(call, FRAME_XDR(type), sizeof(type))
#define DECODE(call, type, var) \
    frame_decode(FRAME_XDR(type), (call)->body, (call)->len, var, sizeof(type))

static int no_memory(struct call *call)
{
    return refuse(call, ENOMEM, "out of memory");
}

static int whoami_run(struct call *call)
{
    whoami_ret *ret = ANSWER(call, whoami_ret);

    if (!ret)
        return no_memory(call);
    ret->node = call->caller->node;
    ret->release = strdup(PACKAGE_VERSION);
    return ret->release ? 0 : no_memory(call);
}

static int node_list_run(struct call *call)
{
    node_list_ret *ret = ANSWER(call, node_list_ret);
    unsigned size = (unsigned)nodetable_size();

    if (!ret)
        return no_memory(call);
    ret->self = call->caller->node;
    ret->master_addr = listen_address();
    ret->master_port = (unsigned)master.conf->port;
    ret->nodes.nodes_val = calloc(size + 1, sizeof(node_record));
    if (!ret->nodes.nodes_val)
        return no_memory(call);
    ret->nodes.nodes_len = size;
    for (unsigned i = 0; i < size; i++)
        node_fill_record(node_find((int)i), &ret->nodes.nodes_val[i]);
    return 0;
}

static int group_list_run(struct call *call)
{
    group_list_ret *ret = ANSWER(call, group_list_ret);
    const struct conf *conf = master.conf;

    if (!ret)
        return no_memory(call);
    ret->groups.groups_val = calloc(conf->ngroups + 1, sizeof(group_record));
    if (!ret->groups.groups_val)
        return no_memory(call);
    for (unsigned i = 0; i < conf->ngroups; i++) {
        group_record *record = &ret->groups.groups_val[ret->groups.groups_len++];

        record->name = strdup(conf->groups[i].name);
        record->spec = strdup(conf->groups[i].spec);
        if (!record->name || !record->spec)
            return no_memory(call);
    }
    return 0;
}

static int proc_list_run(struct call *call)
{
    proc_list_ret *ret;
    node_arg arg;

    if (DECODE(call, node_arg, &arg) < 0)
        return -EPROTO;
    if (arg.node != BPROC_NODE_ANY && arg.node != BPROC_NODE_MASTER && !node_find(arg.node))
        return refuse(call, BE_INVALIDNODE, "there is no node %d", arg.node);
    ret = ANSWER(call, proc_list_ret);
    if (!ret || proctable_list(arg.node, ret) < 0)
        return no_memory(call);
    return 0;
}

/* The master lets everybody in; its own permissions are the system's. */
static int access_run(struct call *call)
{
    access_arg arg;
    struct node *node;

    if (DECODE(call, access_arg, &arg) < 0)
        return -EPROTO;
    if (arg.mode != 0 && arg.mode != BPROC_X_OK)
        return refuse(call, EINVAL, "unknown access mode %d", arg.mode);
    if (arg.node == BPROC_NODE_MASTER)
        return 0;
    node = node_find(arg.node);
    if (!node)
        return refuse(call, BE_INVALIDNODE, "there is no node %d", arg.node);
    if (arg.mode != 0 && caller_may_use(call->caller, node) < 0)
        return refuse(call, EPERM, "node %d does not let uid %u in", arg.node,
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
        return no_memory(call);
    return depart_ask(call->caller, &arg, ret, call->answer->text, sizeof(call->answer->text));
}

static int node_connected(struct call *call, int number, struct node **node)
{
    *node = node_find(number);
    if (!*node)
        return refuse(call, BE_INVALIDNODE, "there is no node %d", number);
    if (!(*node)->link)
        return refuse(call, BE_NODEDOWN, "node %d is down", number);
    return 0;
}

/* Whether it is connected or not: its slave daemon, as it runs now, is not let in any more. */
static int set_down(struct call *call, struct node *node)
{
    int before = node->held;

    node->held = 1;
    if (node_store(node) < 0) {
        node->held = before;
        return refuse(call, EIO, "cannot store the state of the node");
    }
    link_close(node->link, "set down by the administrator");
    node_event(node, NODE_EV_SET_DOWN, "set down by the administrator");
    return 0;
}

/* An order to come up to a node that was set down lets it in; it is up when it has come. */
static int let_in(struct call *call, struct node *node)
{
    node->held = 0;
    if (node_store(node) == 0)
        return 0;
    node->held = 1;
    return refuse(call, EIO, "cannot store the state of the node");
}

static int power_run(struct call *call, struct node *node, node_state what)
{
    int error = nodepower_start(node, what);

    return error ? refuse(call, -error, "cannot tell node %d: %s", node->number,
                          strerror(-error)) : 0;
}

/* The two that the master knows best. */
static int attr_of_table(int number, const char *name, char *text, size_t len)
{
    const struct node *node = node_find(number);
    struct in_addr addr = { htonl(node ? node->addr : listen_address()) };

    if (strcmp(name, "bproc.state") == 0)
        snprintf(text, len, "%s", node_state_name(node ? node->state : NODE_UP));
    else if (strcmp(name, "bproc.addr") != 0 || !inet_ntop(AF_INET, &addr, text, (socklen_t)len))
        return 0;
    return 1;
}

static int attr_run(struct call *call)
{
    char text[BPROC_MAX_ATTR_VALUE];
    struct nodeattr found = { .len = 0 };
    const struct nodeattr *attr = NULL;
    struct node *node;
    attr_ret *ret;
    attr_arg arg;

    if (DECODE(call, attr_arg, &arg) < 0)
        return -EPROTO;
    node = node_find(arg.node);
    if (!node && arg.node != BPROC_NODE_MASTER) {
        frame_free(FRAME_XDR(attr_arg), &arg, sizeof(arg));
        return refuse(call, BE_INVALIDNODE, "there is no node");
    }
    if (attr_of_table(arg.node, arg.name, text, sizeof(text))) {
        found.len = (unsigned)strlen(text);
        memcpy(found.value, text, found.len);
        attr = &found;
    } else if (node && node->link) {
        attr = nodeattr_find(&node->attrs, arg.name);
    }
    frame_free(FRAME_XDR(attr_arg), &arg, sizeof(arg));
    if (!attr)
        return refuse(call, ENODATA, "there is no such attribute");
    ret = ANSWER(call, attr_ret);
    if (ret)
        ret->value.value_val = malloc(attr->len + 1);
    if (!ret || !ret->value.value_val)
        return no_memory(call);
    ret->value.value_len = attr->len;
    memcpy(ret->value.value_val, attr->value, attr->len);
    return 0;
}

static int attr_set(struct call *call, const set_attr_arg *arg)
{
    struct node *node;
    int error = node_connected(call, arg->node, &node);

    if (error)
        return error;
    if (strcmp(arg->attr.name, "bproc.addr") == 0 || strcmp(arg->attr.name, "bproc.state") == 0)
        return refuse(call, EPERM, "this attribute is not to be set");
    error = node_set_attr(node, arg->attr.name, arg->attr.value.value_val,
                          arg->attr.value.value_len);
    if (!error)
        error = node_store(node);
    return error ? refuse(call, -error, "cannot set the attribute: %s", strerror(-error)) : 0;
}

static int set_attr_run(struct call *call)
{
    set_attr_arg arg;
    int error;

    if (DECODE(call, set_attr_arg, &arg) < 0)
        return -EPROTO;
    error = attr_set(call, &arg);
    frame_free(FRAME_XDR(set_attr_arg), &arg, sizeof(arg));
    return error;
}

static int set_state_run(struct call *call)
{
    static const int events[] = {
        [NODE_UNAVAILABLE] = NODE_EV_SET_UNAVAILABLE, [NODE_ERROR] = NODE_EV_SET_ERROR,
        [NODE_UP] = NODE_EV_SET_UP
    };
    set_state_arg arg;
    struct node *node;
    int error;

    if (DECODE(call, set_state_arg, &arg) < 0)
        return -EPROTO;
    if ((unsigned)arg.state > NODE_PWROFF)
        return refuse(call, EINVAL, "this state cannot be set");
    node = node_find(arg.node);
    if (node && arg.state == NODE_DOWN)
        return set_down(call, node);
    if (node && arg.state == NODE_UP && node->held)
        return let_in(call, node);
    error = node_connected(call, arg.node, &node);
    if (error)
        return error;
    if (node_state_is_leaving(arg.state))
        return power_run(call, node, arg.state);
    if (node_event(node, (enum node_event)events[arg.state], "set by the administrator") < 0)
        return refuse(call, EINVAL, "node %d cannot go from %s to %s", arg.node,
                      node_state_name(node->state), node_state_name(arg.state));
    memcpy(node->word, arg.word, sizeof(node->word) - 1);
    return node_store(node) < 0 ? refuse(call, EIO, "cannot store the state of the node") : 0;
}

static int set_perm_run(struct call *call)
{
    set_perm_arg arg;
    struct node *node;
    int error;

    if (DECODE(call, set_perm_arg, &arg) < 0)
        return -EPROTO;
    error = node_connected(call, arg.node, &node);
    if (error)
        return error;
    if (arg.what != PERM_MODE && arg.what != PERM_USER && arg.what != PERM_GROUP)
        return refuse(call, EINVAL, "unknown kind of permission");
    if (arg.what == PERM_MODE && (arg.value & ~MODE_BITS))
        return refuse(call, EINVAL, "only execute permission means anything for a node");
    if (caller_may_change(call->caller, node, arg.what, arg.value) < 0)
        return refuse(call, EPERM, "uid %u may not change this of node %d",
                      (unsigned)call->caller->uid, arg.node);
    if (node_set_perm(node, arg.what, arg.value) < 0)
        return refuse(call, EIO, "cannot store the permissions of the node");
    log_info("node %d: permissions are now uid %u gid %u mode %04o (set by uid %u)", arg.node,
             (unsigned)node->uid, (unsigned)node->gid, node->mode, (unsigned)call->caller->uid);
    return 0;
}

static int stats_run(struct call *call)
{
    stats_ret *ret = ANSWER(call, stats_ret);

    return ret && stats_fill(ret) == 0 ? 0 : no_memory(call);
}

static int token_create_run(struct call *call)
{
    token_arg arg;
    token_ret *ret;
    int error;

    if (DECODE(call, token_arg, &arg) < 0)
        return -EPROTO;
    if (arg.node != -1 && !node_find(arg.node))
        return refuse(call, BE_INVALIDNODE, "there is no node %d", arg.node);
    ret = ANSWER(call, token_ret);
    if (!ret)
        return no_memory(call);
    error = token_create(arg.node, arg.ttl_seconds, ret);
    return error ? refuse(call, -error, "cannot make a token: %s", strerror(-error)) : 0;
}

static int lib_list_run(struct call *call)
{
    const lib_list *list = libraries_list();
    lib_list *ret = ANSWER(call, lib_list);

    if (!ret)
        return no_memory(call);
    ret->lib_list_val = calloc(list->lib_list_len + 1, sizeof(*ret->lib_list_val));
    if (!ret->lib_list_val)
        return no_memory(call);
    for (; ret->lib_list_len < list->lib_list_len; ret->lib_list_len++) {
        char *pattern = strdup(list->lib_list_val[ret->lib_list_len]);

        if (!pattern)
            return no_memory(call);
        ret->lib_list_val[ret->lib_list_len] = pattern;
    }
    return 0;
}

static int lib_change_run(struct call *call)
{
    lib_change_arg arg;
    int error;

    if (DECODE(call, lib_change_arg, &arg) < 0)
        return -EPROTO;
    error = libraries_change(&arg);
    if (!error && arg.what == LIB_CLEAR)
        log_info("library list: cleared");
    else if (!error)
        log_info("library list: %s %s", arg.pattern, arg.what == LIB_ADD ? "added" : "deleted");
    frame_free(FRAME_XDR(lib_change_arg), &arg, sizeof(arg));
    return error ? refuse(call, -error, "cannot change the library list: %s", strerror(-error)) : 0;
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
        return no_memory(call);
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
        return refuse(&call, EOPNOTSUPP, "this can be asked on the master only");
    if (nodecall->root_only && caller->uid != 0)
        return refuse(&call, EPERM, "only root may do this");
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
