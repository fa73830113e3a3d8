/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the calls share; nobody else includes this. nodecalls.c has the table and the
 * small ones, nodecalls_list.c what is listed, nodecalls_attr.c attributes of nodes,
 * nodecalls_admin.c what the administrator orders.
 */
#ifndef MASTERD_NODECALLS_IMPL_H
#define MASTERD_NODECALLS_IMPL_H

#include "masterd/nodecalls.h"
#include "masterd/nodetable.h"
#include "proto/frame.h"

struct call {
    const struct caller *caller;
    const uint8_t *body;
    size_t len;
    struct answer *answer;
};

/* Puts the words into the answer and returns `error`. */
__attribute__((format(printf, 3, 4)))
int call_refuse(struct call *call, int error, const char *fmt, ...);
int call_no_memory(struct call *call);

/* What is to be filled in: zeroed, the answer's. NULL: no memory. */
void *call_answer(struct call *call, xdrproc_t encode, size_t size);

#define ANSWER(call, type) call_answer(call, FRAME_XDR(type), sizeof(type))
#define DECODE(call, type, var) \
    frame_decode(FRAME_XDR(type), (call)->body, (call)->len, var, sizeof(type))

/* The node of that number, if it is connected. 0 or a refusal. */
int call_node(struct call *call, int number, struct node **node);

/* The calls, as nodecall_run(). */
int node_list_run(struct call *call);
int group_list_run(struct call *call);
int proc_list_run(struct call *call);
int lib_list_run(struct call *call);
int attr_run(struct call *call);
int set_attr_run(struct call *call);
int set_state_run(struct call *call);
int set_perm_run(struct call *call);
int lib_change_run(struct call *call);
int token_create_run(struct call *call);

#endif
