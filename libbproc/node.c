/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/node.h"

#define ID_OVERFLOW 65534

_Static_assert((int)bproc_node_down == (int)NODE_DOWN && (int)bproc_node_up == (int)NODE_UP &&
               (int)bproc_node_boot == (int)NODE_BOOT && BPROC_NODE_NSTATES == NODE_BOOT + 1,
               "the states on the wire are those of the interface");

int node_self(int *node)
{
    whoami_ret ret;
    int error = client_call(P_WHOAMI, NULL, NULL, FRAME_XDR(whoami_ret), &ret, sizeof(ret));

    if (error)
        return error;
    *node = ret.node;
    frame_free(FRAME_XDR(whoami_ret), &ret, sizeof(ret));
    return 0;
}

int node_resolve(int *node)
{
    return *node == BPROC_NODE_SELF ? node_self(node) : 0;
}

static int record_compare(const void *a, const void *b)
{
    const node_record *left = a, *right = b;

    return (left->node > right->node) - (left->node < right->node);
}

int node_list_fetch(node_list_ret *list)
{
    int error = client_call(P_NODE_LIST, NULL, NULL, FRAME_XDR(node_list_ret), list, sizeof(*list));

    if (!error && list->nodes.nodes_len > 1)
        qsort(list->nodes.nodes_val, list->nodes.nodes_len, sizeof(node_record), record_compare);
    return error;
}

void node_list_free(node_list_ret *list)
{
    frame_free(FRAME_XDR(node_list_ret), list, sizeof(*list));
}

const node_record *node_list_find(const node_list_ret *list, int node)
{
    node_record key = { .node = node };

    if (list->nodes.nodes_len == 0)
        return NULL;
    return bsearch(&key, list->nodes.nodes_val, list->nodes.nodes_len, sizeof(key),
                   record_compare);
}

const char *node_state_word(node_state state)
{
    static const char *const words[BPROC_NODE_NSTATES] = BPROC_NODE_STATE_STRINGS;

    return (unsigned)state < BPROC_NODE_NSTATES ? words[state] : "unknown";
}

int node_state_number(const char *word)
{
    for (int state = 0; state < BPROC_NODE_NSTATES; state++)
        if (strcmp(word, node_state_word((node_state)state)) == 0)
            return state;
    return -1;
}

const char *node_record_word(const node_record *record)
{
    return record->word[0] ? record->word : node_state_word(record->state);
}

static int state_send(set_state_arg *arg)
{
    int error = node_resolve(&arg->node);

    return error ? error : client_call_node(P_NODE_SET_STATE, FRAME_XDR(set_state_arg), arg, NULL,
                                            NULL, 0);
}

int node_set_state(int node, int state)
{
    set_state_arg arg = { .node = node, .state = (node_state)state };

    return state >= 0 && state < BPROC_NODE_NSTATES ? state_send(&arg) : -EINVAL;
}

int node_set_word(int node, const char *word)
{
    set_state_arg arg = { .node = node, .state = NODE_UNAVAILABLE };
    int state = node_state_number(word);

    if (state >= 0)
        return node_set_state(node, state);
    if (!word[0] || strlen(word) >= sizeof(arg.word))
        return -EINVAL;
    memcpy(arg.word, word, strlen(word));
    return state_send(&arg);
}

static void info_fill(struct bproc_node_info_t *info, const node_record *record)
{
    memset(info, 0, sizeof(*info));
    info->node = record->node;
    info->status = (int)record->state;
    info->mode = (int)record->mode;
    info->user = record->uid <= UINT16_MAX ? (uint16_t)record->uid : ID_OVERFLOW;
    info->group = record->gid <= UINT16_MAX ? (uint16_t)record->gid : ID_OVERFLOW;
    info->addr = htonl(record->addr);
    info->uid = record->uid;
    info->gid = record->gid;
}

int node_fetch(int node, node_record *record)
{
    node_list_ret list;
    const node_record *found;
    int error = node_resolve(&node);

    if (!error)
        error = node_list_fetch(&list);
    if (error)
        return error;
    found = node_list_find(&list, node);
    if (node == BPROC_NODE_MASTER)
        *record = (node_record) { .node = BPROC_NODE_MASTER, .state = NODE_UP, .mode = 0111,
                                  .addr = list.master_addr };
    else if (found)
        *record = *found;
    else
        error = -EINVAL;
    node_list_free(&list);
    return error;
}

int bproc_init(void)
{
    int node;

    return client_result(node_self(&node));
}

int bproc_currnode(void)
{
    int node;
    int error = node_self(&node);

    if (!error)
        return node;
    errno = -error;
    return BPROC_NODE_NONE;
}

int bproc_numnodes(void)
{
    node_list_ret list;
    int error = node_list_fetch(&list);
    int count;

    if (error)
        return client_result(error);
    count = (int)list.nodes.nodes_len;
    node_list_free(&list);
    return count;
}

int bproc_nodestatus(int node)
{
    node_record record;
    int error = node_fetch(node, &record);

    return error ? client_result(error) : (int)record.state;
}

int bproc_nodeup(int node)
{
    node_record record;

    return node_fetch(node, &record) == 0 && record.state == NODE_UP;
}

int bproc_nodeinfo(int node, struct bproc_node_info_t *info)
{
    node_record record;
    int error = info ? node_fetch(node, &record) : -EINVAL;

    if (!error && record.state == NODE_DOWN)
        error = -EINVAL;
    if (error)
        return client_result(error);
    info_fill(info, &record);
    return 0;
}

int node_infos_fetch(struct bproc_node_info_t **list, int *self)
{
    struct bproc_node_info_t *infos = NULL;
    node_list_ret ret;
    unsigned count;
    int error;

    *list = NULL;
    error = node_list_fetch(&ret);
    if (error)
        return error;
    *self = ret.self;
    count = ret.nodes.nodes_len;
    if (count > 0)
        infos = calloc(count, sizeof(*infos));
    for (unsigned i = 0; infos && i < count; i++)
        info_fill(&infos[i], &ret.nodes.nodes_val[i]);
    node_list_free(&ret);
    if (count > 0 && !infos)
        return -ENOMEM;
    *list = infos;
    return (int)count;
}

int bproc_nodelist(struct bproc_node_info_t **list)
{
    int self;

    return client_result(list ? node_infos_fetch(list, &self) : -EINVAL);
}

int bproc_access(int node, int mode)
{
    access_arg arg = { .node = node, .mode = mode };
    int error = mode == 0 || mode == BPROC_X_OK ? node_resolve(&arg.node) : -EINVAL;

    if (!error)
        error = client_call_node(P_ACCESS, FRAME_XDR(access_arg), &arg, NULL, NULL, 0);
    return client_result(error);
}
