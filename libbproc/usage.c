/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/node.h"

_Static_assert(BPROC_COMMAND_MAX == BPROC_MAX_COMMAND, "a command line fits");

/* Pages of an answer that does not fit into one message. */
struct pages {
    usage_ret *list;
    unsigned count;
};

static void pages_free(struct pages *pages)
{
    for (unsigned i = 0; i < pages->count; i++)
        frame_free(FRAME_XDR(usage_ret), &pages->list[i], sizeof(pages->list[i]));
    free(pages->list);
}

static int page_fetch(struct pages *pages, const usage_arg *arg)
{
    usage_ret *list = realloc(pages->list, (pages->count + 1) * sizeof(*list));
    int error;

    if (!list)
        return -ENOMEM;
    pages->list = list;
    error = client_call_node(P_NODE_USAGE, FRAME_XDR(usage_arg), arg, FRAME_XDR(usage_ret),
                             &list[pages->count], sizeof(*list));
    if (error)
        return error;
    return list[pages->count++].next;
}

static int pages_fetch(struct pages *pages, int node)
{
    usage_arg arg = { .first = node, .last = node };
    int next;

    if (node == BPROC_NODE_ANY)
        arg = (usage_arg){ .first = BPROC_NODE_MASTER, .last = INT_MAX };
    do {
        next = page_fetch(pages, &arg);
        /* Each page has to begin behind the one before. */
        if (next >= 0 && next <= arg.first)
            return -EIO;
        arg.first = next;
    } while (next >= 0);
    return next == BPROC_NODE_SELF ? 0 : next;
}

static void proc_fill(struct bproc_proc_usage_t *out, const proc_usage *in)
{
    *out = (struct bproc_proc_usage_t){
        .pid = in->pid, .ppid = in->ppid, .uid = in->uid, .state = (char)in->state,
        .nice = in->nice_value, .threads = (int)in->threads, .cpu_ms = in->cpu_ms,
        .age_ms = in->age_ms, .rss = in->rss
    };
    snprintf(out->command, sizeof(out->command), "%s", in->command);
}

/* Fills *out and the processes from *procs on, which moves behind them. */
static void node_fill(struct bproc_usage_t *out, const node_usage *in,
                      struct bproc_proc_usage_t **procs)
{
    *out = (struct bproc_usage_t){
        .node = in->node, .cpus = (int)in->cpus, .uptime_ms = in->uptime_ms,
        .busy_ms = in->busy_ms, .memory = in->memory, .available = in->available,
        .processes = (int)in->count, .count = (int)in->procs.procs_len, .list = *procs
    };
    for (int i = 0; i < 3; i++)
        out->load[i] = in->load[i] / 100.0;
    for (unsigned i = 0; i < in->procs.procs_len; i++)
        proc_fill((*procs)++, &in->procs.procs_val[i]);
}

/* One block: the nodes, behind them the processes. */
static int pages_join(const struct pages *pages, struct bproc_usage_t **list)
{
    size_t nodes = 0, procs = 0, at = 0;
    struct bproc_proc_usage_t *proc;

    for (unsigned i = 0; i < pages->count; i++) {
        nodes += pages->list[i].nodes.nodes_len;
        for (unsigned k = 0; k < pages->list[i].nodes.nodes_len; k++)
            procs += pages->list[i].nodes.nodes_val[k].procs.procs_len;
    }
    if (nodes == 0)
        return 0;
    *list = malloc(nodes * sizeof(**list) + procs * sizeof(*proc));
    if (!*list)
        return -ENOMEM;
    proc = (struct bproc_proc_usage_t *)(void *)(*list + nodes);
    for (unsigned i = 0; i < pages->count; i++)
        for (unsigned k = 0; k < pages->list[i].nodes.nodes_len; k++)
            node_fill(&(*list)[at++], &pages->list[i].nodes.nodes_val[k], &proc);
    return (int)nodes;
}

/* A node that tells nothing is one that is down or silent, unless there is no such node. */
static int node_check(int node)
{
    node_record record;

    return node == BPROC_NODE_ANY ? 0 : node_fetch(node, &record);
}

int bproc_usage(int node, struct bproc_usage_t **list)
{
    struct pages pages = { NULL, 0 };
    int result = list ? node_resolve(&node) : -EINVAL;

    if (list)
        *list = NULL;
    if (result == 0 && node < BPROC_NODE_MASTER && node != BPROC_NODE_ANY)
        result = -EINVAL;
    if (result == 0)
        result = pages_fetch(&pages, node);
    if (result == 0)
        result = pages_join(&pages, list);
    if (list && result == 0)
        result = node_check(node);
    pages_free(&pages);
    return client_result(result);
}
