/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "tools/bpctl_act.h"

#define TOGETHER_MAX 64

struct turn {
    pthread_t thread;
    const struct tool_nodes *table;
    const struct act *act;
    int node;
    int error;
};

static void *turn_run(void *arg)
{
    struct turn *turn = arg;

    if (turn->node == BPROC_NODE_MASTER && turn->act->of_master) {
        turn->error = EINVAL;
        return NULL;
    }
    /* The interface says EINVAL for both a wrong node and a wrong value. */
    if (turn->node != BPROC_NODE_MASTER && !tool_nodes_find(turn->table, turn->node))
        turn->error = BE_INVALIDNODE;
    else if (turn->act->call(turn->node, turn->act->arg) < 0)
        turn->error = errno;
    if (turn->error == EINVAL && turn->node != BPROC_NODE_MASTER &&
        bproc_nodestatus(turn->node) == bproc_node_down)
        turn->error = BE_NODEDOWN;
    return NULL;
}

static int turn_end(const struct turn *turn)
{
    if (!turn->error)
        return 0;
    fprintf(stderr, "%d: %s\n", turn->node,
            turn->node == BPROC_NODE_MASTER && turn->act->of_master ? turn->act->of_master :
            tool_reason(turn->error));
    return 1;
}

static int some_act(const int *nodes, size_t count, const struct tool_nodes *table,
                    const struct act *act)
{
    struct turn turns[TOGETHER_MAX] = { { 0 } };
    int failed = 0;

    for (size_t i = 0; i < count; i++) {
        turns[i] = (struct turn){ .table = table, .act = act, .node = nodes[i] };
        if (count == 1 || pthread_create(&turns[i].thread, NULL, turn_run, &turns[i]) != 0) {
            turns[i].thread = 0;
            turn_run(&turns[i]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (turns[i].thread)
            pthread_join(turns[i].thread, NULL);
        failed += turn_end(&turns[i]);
    }
    return failed;
}

int act_on(const struct nodeset *chosen, const struct tool_nodes *table, const struct act *act)
{
    size_t most = act->together ? TOGETHER_MAX : 1;
    int failed = 0;

    for (size_t i = 0; i < chosen->count; i += most)
        failed += some_act(chosen->nodes + i, chosen->count - i < most ? chosen->count - i : most,
                           table, act);
    return failed;
}
