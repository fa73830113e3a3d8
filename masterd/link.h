/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control links of the slaves. A link begins as a stranger's, who may do nothing but join; with
 * a verified certificate it is a member's, who has to say HELLO; then it belongs to its node and
 * carries signals, exits and heartbeats both ways. Whatever ends it ends the node's stay: its
 * processes are given up, transfers to it fail, its state is down.
 */
#ifndef MASTERD_LINK_H
#define MASTERD_LINK_H

#include "common/conn.h"
#include "masterd/nodetable.h"

/* A freshly accepted TCP socket; takes fd. */
void link_accept(int fd);

/* Loads the keys of STATE/tls. 0, or -errno with a reason in text[len]. Blocking. */
int link_start(char *text, size_t len);
void link_stop(void);

/* Ends a link now; its node is down when this returns. NULL is allowed. */
void link_close(struct link *link, const char *reason);

/* Sends an event to a node; quietly nothing when it is not connected. */
void link_event(struct node *node, bproc_proc proc, xdrproc_t encode, const void *body);

/* Sends a call; its reply comes to order_answered(). 0, or -errno; -ENOTCONN: not connected. */
int link_call(struct node *node, bproc_proc proc, uint32_t serial, xdrproc_t encode,
              const void *body);

/* Tells a node that a parent, which lived elsewhere, is dead. */
void link_orphan(struct node *node, int ppid);

/* Tells a node to kill a process, and, once that is known to have ended, to forget it. */
void link_kill(struct node *node, int pid);
void link_exit_ack(struct node *node, int pid);

/* Sends the nodes at once what they are to be told. */
void links_flush(void);

#endif
