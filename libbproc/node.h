/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The node table as the calls about nodes see it: fetched from the daemon for each call, kept
 * nowhere.
 */
#ifndef BPROC_NODE_H
#define BPROC_NODE_H

#include "proto/bproc.h"

/*
 * Node the caller runs on, BPROC_NODE_MASTER on the master, to *node. 0 or a negative errno.
 * Blocks for the daemon.
 */
int node_self(int *node);

/* Puts the number of the caller's node in the place of BPROC_NODE_SELF. As node_self(). */
int node_resolve(int *node);

/*
 * The daemon's table to *list, in ascending order; end it with node_list_free(). 0 or a negative
 * errno. Blocks for the daemon.
 */
int node_list_fetch(node_list_ret *list);
void node_list_free(node_list_ret *list);

/*
 * The record of `node`, which may be the master or the caller's own, copied to *record. 0, -EINVAL
 * when there is none, or another negative errno. Blocks for the daemon.
 */
int node_fetch(int node, node_record *record);

/*
 * What bproc_nodelist() gives, and the caller's node to *self. The number of nodes or a negative
 * errno, with no *list. Blocks for the daemon.
 */
struct bproc_node_info_t;
int node_infos_fetch(struct bproc_node_info_t **list, int *self);

/* Word for a state, as bpstat(1) shows it; "unknown" for one that is none. */
const char *node_state_word(node_state state);

/* What the state of that node is called: `word` of the record, if an administrator gave it one. */
const char *node_record_word(const node_record *record);

/* bproc_nodesetstatus() of BProc 4, but -errno. */
int node_set_word(int node, const char *word);

/* The state of that word, -1 if it is none. */
int node_state_number(const char *word);

/* bproc_setnodestatus(), but -errno. */
int node_set_state(int node, int state);

/* Record of `node` in `list`, borrowed; NULL if there is none. */
const node_record *node_list_find(const node_list_ret *list, int node);

#endif
