/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What survives restarts and power cuts: for each node its last state, the slave daemon that was
 * there, the permissions an administrator gave it and the certificate it holds; and the join
 * tokens, as hashes. SQLite in STATE/bproc.db; each call is one durable transaction and blocks for
 * the disk, so that none is made on the path of a transfer; what is done between store_begin() and
 * store_commit() is one all together.
 */
#ifndef MASTERD_STORE_H
#define MASTERD_STORE_H

#include <stdint.h>
#include <time.h>

#include "masterd/nodeattr.h"
#include "proto/frame.h"

struct store_node {
    int number;
    node_state state;
    char word[BPROC_STATE_WORD];    /* what the administrator calls it; "": nothing else */
    uint64_t instance;          /* of the slave daemon; 0 none yet */
    unsigned set;               /* bits 1 << perm_what: given by an administrator */
    unsigned mode, uid, gid;
    int held;                   /* that slave daemon was set down */
    int joined;                 /* `cert` is what it may show */
    uint8_t cert[BPROC_HASH_LEN];
    struct nodeattrs attrs;
};

/* Opens or makes STATE/bproc.db. 0, or -errno with a reason in text[len]. */
int store_open(const char *state_dir, char *text, size_t len);
void store_close(void);

/* A group of calls that become durable with its end, or not at all. 0 or -EIO. */
int store_begin(void);
int store_commit(void);

/* Calls `fn` for each node that is known; it may take the attributes over. 0 or -EIO. */
int store_load(void (*fn)(struct store_node *node, void *arg), void *arg);

/* Writes `count` nodes in one transaction. 0 or -EIO. */
int store_save(const struct store_node *nodes, unsigned count);

/* 0 or -EIO. `node` -1: any. `expires` on the wall clock, as it outlives us. */
int store_token_add(const uint8_t hash[BPROC_HASH_LEN], int node, time_t expires);

/*
 * Uses a token up: 0 with its *node; -ENOENT unknown, -EALREADY used before, -ETIME expired; -EIO.
 * Only one call can ever succeed for a token.
 */
int store_token_use(const uint8_t hash[BPROC_HASH_LEN], time_t now, int *node);

/* What it was used for has failed: it is good for another try. 0 or -EIO. */
int store_token_give_back(const uint8_t hash[BPROC_HASH_LEN]);

#endif
