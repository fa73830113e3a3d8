/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/swarm_node.h"
#include "bench/swarm_worker.h"
#include "common/fd.h"
#include "common/nodeload.h"
#include "common/tls.h"
#include "slaved/hostattr.h"

static struct swarm_worker worker;
static struct swarm_node *nodes;
static int node_count;

static void nodes_prepare(int first)
{
    char text[300];

    nodes = calloc((size_t)node_count, sizeof(*nodes));
    if (!nodes)
        err(1, "cannot hold %d nodes", node_count);
    for (int i = 0; i < node_count; i++) {
        struct swarm_node *node = &nodes[i];

        node->worker = &worker;
        node->number = first + i;
        node->token = worker.options->tokens[node->number - worker.options->first];
        if (node_prepare(node, text, sizeof(text)) < 0)
            errx(1, "cannot prepare node %d: %s", node->number, text);
    }
}

static void order_follow(const struct swarm_order *order)
{
    int left = order->count;

    for (int i = 0; i < node_count && left > 0; i++) {
        struct swarm_node *node = &nodes[i];

        if (order->verb == SWARM_START) {
            node_start(node);
        } else if (node->stage == STAGE_UP && !node->silent) {
            (order->verb == SWARM_DROP ? node_drop : node_silence)(node);
            left--;
        }
    }
}

static void order_read(evutil_socket_t fd, short what, void *arg)
{
    struct swarm_order order;
    ssize_t n = read(fd, &order, sizeof(order));

    (void)what;
    (void)arg;
    if (n == (ssize_t)sizeof(order))
        order_follow(&order);
    else if (n == 0)
        _exit(0);
}

void worker_run(const struct swarm_options *options, int first, int count, int orders,
                struct swarm_tally *tally)
{
    struct event *on_order;
    char text[300] = "out of memory";

    signal(SIGPIPE, SIG_IGN);
    fd_raise_limit();
    srandom((unsigned)getpid());
    node_count = count;
    worker.options = options;
    worker.tally = tally;
    worker.base = event_base_new();
    worker.join_tls = tls_context(NULL, 0, TLS_VERIFY_NONE, text, sizeof(text));
    worker.attrs_len = hostattr_fill(worker.attrs);
    nodeload_read(&worker.usage);
    on_order = worker.base ? event_new(worker.base, orders, EV_READ | EV_PERSIST, order_read, NULL)
                           : NULL;
    if (!worker.join_tls || !on_order || event_add(on_order, NULL) < 0)
        errx(1, "cannot start a loop: %s", text);
    nodes_prepare(first);
    tally->ready = 1;
    event_base_dispatch(worker.base);
    _exit(1);
}
