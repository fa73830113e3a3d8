/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One simulated node: joins if it has no certificate, connects, says HELLO, answers pings and
 * what else masterd asks, and connects again after a loss, each as slaved does. It has no processes
 * and takes none.
 *
 *   away --start--> (joining) --> connecting --> up --lost--> waiting --> connecting …
 *     ^------------------------ drop --------------'
 */
#ifndef BENCH_SWARM_NODE_H
#define BENCH_SWARM_NODE_H

#include <openssl/ssl.h>
#include <event2/event.h>

#include "bench/swarm.h"
#include "common/conn.h"

enum node_stage { STAGE_AWAY, STAGE_WAITING, STAGE_JOINING, STAGE_CONNECTING, STAGE_UP };

/* What the nodes of a process share. */
struct swarm_worker {
    const struct swarm_options *options;
    struct swarm_tally *tally;
    struct event_base *base;
    SSL_CTX *join_tls;
    SSL_CTX *member_tls;        /* NULL until the first node has the authority's certificate */
    node_attr attrs[4];         /* of this machine, in every HELLO */
    unsigned attrs_len;
    node_usage usage;           /* of this machine as a whole */
};

struct swarm_node {
    struct swarm_worker *worker;
    int number;
    enum node_stage stage;
    int silent;                 /* connected, but as if it hung */
    const char *token;          /* NULL: has joined */
    char *csr;
    X509 *cert;
    EVP_PKEY *key;
    struct conn *conn;
    struct event *timer;        /* the next attempt */
    uint64_t instance, master_instance;
    unsigned pause_ms;
};

/* Reads or makes its keys. 0, or -errno with a reason in text[len]. Blocks. */
int node_prepare(struct swarm_node *node, char *text, size_t len);

/* Begins unless it is on its way or connected; lets a silent one speak. */
void node_start(struct swarm_node *node);

/* The connection breaks without a goodbye, and there will be no other until the next start. */
void node_drop(struct swarm_node *node);

/* It stays connected and neither reads nor writes. */
void node_silence(struct swarm_node *node);

#endif
