/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "masterd/depart.h"
#include "masterd/libraries.h"
#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/nodeghost.h"
#include "masterd/passage_check.h"
#include "masterd/passage_impl.h"
#include "masterd/proctable.h"
#include "masterd/rights.h"
#include "moves/move.h"
#include "moves/task.h"

#define PASSAGES_A_NODE 1024

static int way_check(const struct node *from, const depart_arg *arg, char *text, size_t len)
{
    if (arg->who.id.pid <= 1 || arg->kind < MOVE_RFORK || arg->kind > MOVE_UNDUMP) {
        snprintf(text, len, "bad numbers");
        return EINVAL;
    }
    if (passages_from(from->number) >= PASSAGES_A_NODE) {
        snprintf(text, len, "%d processes of node %d are on their way already", PASSAGES_A_NODE,
                 from->number);
        return EAGAIN;
    }
    if (passage_find(arg->who.id.pid, from->number)) {
        snprintf(text, len, "process %d is on its way already", arg->who.id.pid);
        return EALREADY;
    }
    return 0;
}

/* Under which address nodes find the other end of this node's link: us. */
static uint32_t own_address(struct conn *conn)
{
    struct sockaddr_in in;
    socklen_t len = sizeof(in);

    if (getsockname(conn_fd(conn), (struct sockaddr *)&in, &len) < 0)
        return 0;
    return ntohl(in.sin_addr.s_addr);
}

/*
 * Its ghost may signal it, so that it has to be one. A child that has ended and was not waited for
 * is known to nobody any more; there is nothing to be done to it.
 */
static int is_child(int parent, int pid)
{
    const struct proc *proc = proc_find_anywhere(pid);

    if (proc)
        return proc_ppid(proc) == parent;
    return pid > 1 && !nodeghost_is_others(pid, parent);
}

static struct passage *passage_new(const struct node *from, const struct node *to,
                                   const depart_arg *arg)
{
    struct passage *passage = calloc(1, sizeof(*passage));

    if (!passage)
        return NULL;
    passage->rights = rights_new_from(passage_origin(from, arg), arg->who.uid, arg->who.gid,
                                      arg->groups.groups_val, arg->groups.groups_len);
    passage->children = calloc(arg->children.child_list_len + 1, sizeof(*passage->children));
    if (!passage->children || !passage->rights) {
        rights_release(passage->rights);
        free(passage->children);
        free(passage);
        return NULL;
    }
    for (unsigned i = 0; i < arg->children.child_list_len; i++)
        if (is_child(arg->who.id.pid, arg->children.child_list_val[i]))
            passage->children[passage->nchildren++] = arg->children.child_list_val[i];
    passage->kind = arg->kind;
    passage->pid = arg->who.id.pid;
    passage->from = from->number;
    passage->to = to->number;
    passage->who = arg->who;
    memcpy(passage->args, arg->who.args.args_val, arg->who.args.args_len);
    passage->who.args.args_val = passage->args;
    passage->ghost = arg->ghost;
    passage->started = master_now();
    passage_insert(passage);
    return passage;
}

/* One that its node has not reported yet is its child's user's. */
static unsigned parent_uid(const born_msg *who)
{
    static struct task task;        /* too large for the stack of a callback */
    struct proc *proc = proc_find_anywhere(who->ppid);
    const struct rights *rights = proc ? proc_rights(proc) : NULL;

    if (rights)
        return rights_uid(rights);
    return !proc && who->ppid > 1 && task_read(who->ppid, &task) == 0 ? task.uids[0] : who->uid;
}

/* The other node is told first: the process may come as soon as this one knows. */
static void passage_announce(const struct passage *passage, struct node *to,
                             const depart_arg *arg, const move_ticket *ticket)
{
    expect_msg expect = { .ticket = *ticket, .id = arg->who.id, .ppid = arg->who.ppid,
                          .puid = parent_uid(&arg->who), .node = passage->from,
                          .uid = arg->who.uid, .gid = arg->who.gid,
                          .groups = { arg->groups.groups_len, arg->groups.groups_val },
                          .children = { passage->nchildren, passage->children },
                          .bounds = rights_bounds(passage->rights) };

    link_event(to, P_EXPECT, FRAME_XDR(expect_msg), &expect);
}

static int ghosts_enter(const struct passage *passage)
{
    const struct proc *proc = proc_find(passage->pid, passage->from);
    int parent = proc ? proc_ppid(proc) : passage->who.ppid;
    int error = passage->ghost ? nodeghost_add(passage->pid, passage->from, parent, passage->from)
                               : 0;

    for (unsigned i = 0; !error && i < passage->nchildren; i++)
        error = nodeghost_add(passage->children[i], passage->to, passage->pid, passage->from);
    return error;
}

static void allow_give(struct node *from, struct node *to, struct conn *conn,
                       const struct frame_header *header, const depart_arg *arg)
{
    char bytes[BPROC_TICKET_LEN];
    depart_ret ret = { .to = { .node = to->number,
                               .addr = to->number < 0 ? own_address(conn) : to->addr,
                               .data_port = to->data_port, .instance = to->instance },
                       .flags = depart_flags(arg->flags, to),
                       .node_is_up = to->state == NODE_UP,
                       .io_direct = (unsigned)master.conf->io_direct,
                       .ping_timeout = (unsigned)master.conf->ping_timeout,
                       .ticket = { sizeof(bytes), bytes },
                       .libraries = *libraries_list() };
    struct passage *passage = NULL;
    int error;

    if (getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes))
        passage = passage_new(from, to, arg);
    /* Now: what becomes of its children meanwhile is told to both nodes. */
    error = passage ? ghosts_enter(passage) : -ENOMEM;
    if (error) {
        conn_refuse(conn, header, -error, "cannot enter what process %d leaves behind: %s",
                    arg->who.id.pid, strerror(-error));
        if (passage)
            passage_undo(passage);
        return;
    }
    passage_announce(passage, to, arg, &ret.ticket);
    conn_reply(conn, header, FRAME_XDR(depart_ret), &ret);
}

/* It goes nowhere; what counts as a library is all that there is to say. */
static void dump_answer(struct conn *conn, const struct frame_header *header, int flags)
{
    depart_ret ret = { .flags = depart_flags(flags, NULL), .libraries = *libraries_list() };

    conn_reply(conn, header, FRAME_XDR(depart_ret), &ret);
}

int passage_allow(struct node *from, struct conn *conn, const struct frame_header *header,
                  const uint8_t *body)
{
    struct caller caller;
    struct node *to = NULL;
    char text[200] = "";
    depart_arg arg;
    int error = conn_decode(depart_arg, header, body, &arg);

    if (error)
        return error;
    if (arg.kind == MOVE_DUMP) {
        dump_answer(conn, header, arg.flags);
        frame_free(FRAME_XDR(depart_arg), &arg, sizeof(arg));
        return 0;
    }
    caller = (struct caller){ .pid = arg.who.id.pid, .uid = arg.who.uid, .gid = arg.who.gid,
                              .groups = arg.groups.groups_val, .ngroups = arg.groups.groups_len,
                              .node = from->number };
    error = depart_check_node(&caller, arg.node, &to, text, sizeof(text));
    /* What is in a file goes on where it is read. */
    if (!error && arg.kind == MOVE_UNDUMP)
        to = from;
    else if (!error && !to)
        error = BE_SAMENODE;
    if (!error)
        error = way_check(from, &arg, text, sizeof(text));
    if (!error)
        error = passage_check(from, &arg, text, sizeof(text));
    if (error)
        conn_refuse(conn, header, error, "%s", text[0] ? text : "it is on that node already");
    else
        allow_give(from, to, conn, header, &arg);
    frame_free(FRAME_XDR(depart_arg), &arg, sizeof(arg));
    return 0;
}
