/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes. Made for every number of the configuration, with what the store remembers; a node's
 * state changes only in node_event(), by a table of states and events, with one log line for each
 * change. A change is written to the store a moment later (together with others), what an
 * administrator decides before he is answered; watchers are told of every change.
 *
 *      connect            script ok
 *   down ----> boot -----------------> up <---> unavailable, error  (root)
 *    ^           \  script failed --> error   |
 *    '------------ loss of the connection <--'--> reboot, halt, pwroff  (root) ----> boot
 *
 * A node that was told to reboot, halt or switch itself off is shown so until it connects anew,
 * also while it is gone: `link` alone tells whether a node is connected.
 */
#ifndef MASTERD_NODETABLE_H
#define MASTERD_NODETABLE_H

#include <sys/types.h>

#include "masterd/nodeattr.h"
#include "masterd/store.h"

struct link;

enum node_event {
    NODE_EV_CONNECT,
    NODE_EV_SCRIPT_OK,
    NODE_EV_SCRIPT_FAILED,
    NODE_EV_LOST,
    NODE_EV_SET_UP,
    NODE_EV_SET_UNAVAILABLE,
    NODE_EV_SET_ERROR,
    NODE_EV_SET_REBOOT,
    NODE_EV_SET_HALT,
    NODE_EV_SET_PWROFF,
    NODE_EV_SET_DOWN,
    NODE_EVENTS
};

struct node {
    int number;
    node_state state;
    char word[BPROC_STATE_WORD];    /* what the administrator calls the state; "": nothing else */
    unsigned mode;              /* as they are now */
    uid_t uid;
    gid_t gid;
    unsigned set;               /* bits 1 << perm_what: these come from an administrator */
    unsigned set_mode;
    uid_t set_uid;
    gid_t set_gid;
    uint32_t addr;              /* host byte order; of the connection, else configured; 0 */
    unsigned data_port;
    uint64_t instance;          /* of the slave daemon last seen */
    node_state before;          /* what it was when the previous masterd ended */
    node_state before_power;    /* what it was when it was told to reboot and so on */
    int held;                   /* set down by an administrator: `instance` is not let in again */
    int joined;
    uint8_t cert[BPROC_HASH_LEN];
    struct nodeattrs attrs;
    numbers_msg numbers;        /* of the processes that are forked there; count 0: any */
    struct link *link;          /* NULL while it is not connected; the link's to set */
    int dirty;
};

/* With the store open. 0, or -EIO. */
int nodetable_start(void);

/* Writes what is not written yet and frees all nodes. */
void nodetable_stop(void);

/* After a reload: makes new nodes, disconnects and forgets those beyond the configuration. */
void nodetable_reload(void);

/* Highest number + 1. */
int nodetable_size(void);

/* NULL: no such node. */
struct node *node_find(int number);

/*
 * Where processes can be: a node, or for BPROC_NODE_MASTER the home slave, which is no node to
 * anybody else and has no state but its link. NULL: no such place.
 */
struct node *node_at(int number);

/* Changes the state. 0, or -EINVAL when the event means nothing in the present state. */
int node_event(struct node *node, enum node_event event, const char *reason);

/*
 * The connection is there again after a restart of ours: state and permissions as before. -EAGAIN:
 * it was still being set up, that has to begin anew.
 */
int node_return(struct node *node);

/* The administrator's word: permissions, applied at once. 0, or -EIO when it cannot be stored. */
int node_set_perm(struct node *node, perm_what what, unsigned value);

/*
 * As nodeattr_set(); stored with the next other changes. Watchers are not told.
 */
int node_set_attr(struct node *node, const char *name, const void *value, unsigned len);

/* Writes one node now. 0 or -EIO. */
int node_store(struct node *node);

/* A change that can be written with the next others. */
void node_touch(struct node *node);

const char *node_state_name(node_state state);

/* Reboot, halt, pwroff. */
int node_state_is_leaving(node_state state);

void node_fill_record(const struct node *node, node_record *record);

#endif
