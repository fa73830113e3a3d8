/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A swarm of simulated nodes: what its files share. swarm.c reads options and commands and starts
 * the workers, swarm_tokens.c asks for tokens, swarm_worker.c is one process with many nodes on one
 * loop, swarm_node.c the life of one node.
 */
#ifndef BENCH_SWARM_H
#define BENCH_SWARM_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>

#include "proto/bproc.h"

struct swarm_options {
    struct sockaddr_in master;
    uint32_t source;            /* of the first node, host byte order; 0: any, the same for all */
    const char *keys;           /* a folder; DIR/N is what STATE/tls is to slaved of node N */
    int first, count;           /* node numbers */
    int per_process;
    int watch;                  /* each node wants to hear of changes, as for a client of its own */
    uint8_t ca_hash[BPROC_HASH_LEN];
    char **tokens;              /* count of them; NULL: this node has joined before */
};

/* What a worker tells; shared memory. */
struct swarm_tally {
    _Atomic unsigned ready;     /* 1: it has its keys and waits for commands */
    _Atomic unsigned up;        /* nodes that are connected and have said HELLO */
    _Atomic unsigned joins;     /* the others since the start */
    _Atomic unsigned attempts;
    _Atomic unsigned failures;
    _Atomic unsigned losses;
    _Atomic unsigned pings;
    _Atomic unsigned changes;   /* P_NOTIFY */
    char complaint[200];        /* the last failure's reason */
};

/* What a worker is told, over a pipe whose end ends it. */
enum swarm_verb { SWARM_START, SWARM_DROP, SWARM_SILENCE };

struct swarm_order {
    enum swarm_verb verb;
    int count;                  /* of nodes; those connected with the lowest numbers */
};

#endif
