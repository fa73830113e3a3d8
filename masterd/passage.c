/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "common/log.h"
#include "masterd/depart.h"
#include "masterd/link.h"
#include "masterd/libraries.h"
#include "masterd/master.h"
#include "masterd/nodeghost.h"
#include "masterd/passage.h"
#include "masterd/proctable.h"
#include "masterd/rights.h"
#include "masterd/stats.h"
#include "moves/move.h"
#include "moves/task.h"

#define PASSAGES_A_NODE 1024

struct passage {
    LIST_ENTRY(passage) entry;
    move_kind kind;
    int pid;
    int from, to;
    born_msg who;
    char args[BPROC_MAX_TEXT];
    struct rights *rights;
    int ghost;                  /* one will be at `from` */
    int entered;
    int fresh;                  /* it had no entry before */
    int *children;              /* its children, which get ghosts where it goes */
    unsigned nchildren;
    int64_t started;
};

static LIST_HEAD(, passage) passages = LIST_HEAD_INITIALIZER(passages);
static struct log_limit passage_limit;

static unsigned passages_from(int node)
{
    const struct passage *passage;
    unsigned count = 0;

    LIST_FOREACH(passage, &passages, entry)
        count += passage->from == node;
    return count;
}

static struct passage *passage_find(int pid, int from)
{
    struct passage *passage;

    LIST_FOREACH(passage, &passages, entry)
        if (passage->pid == pid && passage->from == from)
            break;
    return passage;
}

static void passage_free(struct passage *passage)
{
    LIST_REMOVE(passage, entry);
    rights_release(passage->rights);
    free(passage->children);
    free(passage);
}

/* ---- may it ---- */

static struct rights *origin_rights(const struct node *from, const depart_arg *arg)
{
    struct proc *origin = proc_find(arg->origin, from->number);

    return origin ? proc_rights(origin) : NULL;
}

/*
 * The node's word is good for processes of those whom it has processes of: it cannot make itself
 * another user's, nor one in another group.
 */
static int owner_check(const struct node *from, const depart_arg *arg, char *text, size_t len)
{
    const struct rights *rights = origin_rights(from, arg);

    if (rights && rights_cover(rights, arg->who.uid, arg->who.gid, arg->groups.groups_val,
                               arg->groups.groups_len))
        return 0;
    snprintf(text, len, "node %d has no process with the rights of uid %u gid %u to be the origin "
             "of process %d", from->number, arg->who.uid, arg->who.gid, arg->who.id.pid);
    return EPERM;
}

/*
 * A parent, group or session is one that what it comes from was in already, its user's, or nobody's
 * whom we know of.
 */
static int is_kin(const struct node *from, const depart_arg *arg, int number)
{
    struct rights *rights = origin_rights(from, arg);
    const struct proc *proc = proc_find(arg->who.id.pid, from->number);

    return number <= 1 || number == arg->who.id.pid || rights_uid(rights) == 0 ||
           rights_has_kin(rights, number) || (proc && number == proc_ppid(proc)) ||
           proctable_use(number, rights_uid(rights)) != USE_OTHERS;
}

static int kin_check(const struct node *from, const depart_arg *arg, char *text, size_t len)
{
    const struct { const char *what; int number; } kin[] = {
        { "parent", arg->who.ppid }, { "group", arg->who.id.pgid }, { "session", arg->who.id.sid }
    };

    for (size_t i = 0; i < sizeof(kin) / sizeof(kin[0]); i++) {
        if (is_kin(from, arg, kin[i].number))
            continue;
        snprintf(text, len, "process %d of node %d cannot have another user's %s, %d",
                 arg->who.id.pid, from->number, kin[i].what, kin[i].number);
        return EPERM;
    }
    return 0;
}

/* A number that is not in the table: one that the node has given out and not reported yet. */
static int is_of_node(const struct node *node, int pid)
{
    const numbers_msg *numbers = &node->numbers;

    if (proc_find_anywhere(pid))
        return 0;
    if (numbers->count > 0)
        return pid >= numbers->first && pid - numbers->first < numbers->count;
    return kill(pid, 0) < 0 && errno == ESRCH;
}

static int kind_check(const struct node *from, const depart_arg *arg, char *text, size_t len)
{
    struct proc *proc = proc_find(arg->who.id.pid, from->number);

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
    if (arg->kind == MOVE_RFORK && proc) {
        snprintf(text, len, "process %d is on node %d", arg->who.id.pid, from->number);
        return BPROC_PID_TAKEN;
    }
    if (!proc && !is_of_node(from, arg->who.id.pid)) {
        snprintf(text, len, "process %d is none of node %d's", arg->who.id.pid, from->number);
        return arg->kind == MOVE_RFORK ? BPROC_PID_TAKEN : EPERM;
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
    passage->rights = rights_new_from(origin_rights(from, arg), arg->who.uid, arg->who.gid,
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
    LIST_INSERT_HEAD(&passages, passage, entry);
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

static void ghosts_leave(const struct passage *passage)
{
    if (passage->ghost)
        nodeghost_remove(passage->pid, passage->from);
    for (unsigned i = 0; i < passage->nchildren; i++)
        nodeghost_remove(passage->children[i], passage->to);
}

/* Whether it got to run there nobody knows any more: then it is not to. */
static void passage_undo(struct passage *passage)
{
    struct proc *proc = passage->entered ? proc_find(passage->pid, passage->to) : NULL;

    ghosts_leave(passage);
    if (proc && passage->fresh) {
        proc_release(proc);
    } else if (proc && passage->to != passage->from) {
        link_kill(node_at(passage->to), passage->pid);
        proc_move(proc, passage->from);
    }
    passage_free(passage);
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

    if (getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes))
        passage = passage_new(from, to, arg);
    /* Now: what becomes of its children meanwhile is told to both nodes. */
    if (!passage || ghosts_enter(passage) < 0) {
        conn_refuse(conn, header, ENOMEM, "out of memory");
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

static int allow_take(struct node *from, struct conn *conn, const struct frame_header *header,
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
        error = kind_check(from, &arg, text, sizeof(text));
    if (!error)
        error = owner_check(from, &arg, text, sizeof(text));
    if (!error)
        error = kin_check(from, &arg, text, sizeof(text));
    if (error)
        conn_refuse(conn, header, error, "%s", text[0] ? text : "it is on that node already");
    else
        allow_give(from, to, conn, header, &arg);
    frame_free(FRAME_XDR(depart_arg), &arg, sizeof(arg));
    return 0;
}

/* ---- it waits there ---- */

static int entry_make(struct passage *passage)
{
    struct proc *proc = proc_find(passage->pid, passage->from);

    /* One that was forked on the node need not be known yet. */
    passage->fresh = proc == NULL;
    if (proc)
        return proc_move(proc, passage->to);
    return proctable_passed(node_at(passage->to), &passage->who, passage->rights) ? 0 : -errno;
}

static void ready_take(struct passage *passage, struct conn *conn,
                       const struct frame_header *header)
{
    int error;

    if (!passage || passage->entered) {
        conn_refuse(conn, header, passage ? EALREADY : BE_SLAVEDIED, "%s",
                    passage ? "it was ready before" : "the node was lost");
        return;
    }
    error = entry_make(passage);
    if (error == -EEXIST) {
        conn_refuse(conn, header, BPROC_PID_TAKEN,
                    "an older process still has number %d on node %d", passage->pid, passage->to);
        return;
    }
    if (error) {
        conn_refuse(conn, header, -error, "cannot enter process %d: %s", passage->pid,
                    strerror(-error));
        return;
    }
    passage->entered = 1;
    conn_reply(conn, header, NULL, NULL);
}

/* ---- its end ---- */

static int done_take(const struct node *from, const struct frame_header *header,
                     const uint8_t *body)
{
    struct passage *passage;
    struct proc *proc;
    departed_msg msg;

    if (conn_decode(departed_msg, header, body, &msg) < 0)
        return -EPROTO;
    passage = passage_find(msg.pid, from->number);
    if (!passage)
        return 0;
    proc = passage->fresh ? proc_find(passage->pid, passage->to) : NULL;
    if (proc)
        proc_ask_ghost(proc, &passage->who);
    /* Its parent may have ended while it was on its way. */
    if (proc && msg.orphan && !proc_find_anywhere(passage->who.ppid) &&
        kill(passage->who.ppid, 0) < 0)
        link_orphan(node_at(passage->to), passage->who.ppid);
    for (unsigned i = 0; i < passage->nchildren; i++)
        nodeghost_group(passage->children[i], passage->to);
    log_info("process %d went from %s to %s in %lld ms", passage->pid,
             move_node_name(passage->from), move_node_name(passage->to),
             (long long)(master_now() - passage->started));
    stats_moved((uint64_t)(master_now() - passage->started) * 1000, 0);
    passage_free(passage);
    return 0;
}

static int failed_take(struct passage *passage, const struct frame_header *header,
                       const uint8_t *body)
{
    failed_msg msg;
    int error = conn_decode(failed_msg, header, body, &msg);

    if (error)
        return error;
    if (passage && msg.error != BPROC_PID_TAKEN) {
        log_limited(&passage_limit, 60, "process %d from %s to %s failed: %s", msg.pid,
                    move_node_name(passage->from), move_node_name(passage->to), msg.text);
        stats_failed();
    }
    if (passage)
        passage_undo(passage);
    frame_free(FRAME_XDR(failed_msg), &msg, sizeof(msg));
    return 0;
}

int passage_message(struct node *from, struct conn *conn, const struct frame_header *header,
                    const uint8_t *body)
{
    struct passage *passage;
    failed_msg failed;
    pid_msg msg;

    if (header->proc == P_DEPART_ALLOW)
        return allow_take(from, conn, header, body);
    if (header->proc == P_DEPART_FAILED) {
        if (conn_decode(failed_msg, header, body, &failed) < 0)
            return -EPROTO;
        passage = passage_find(failed.pid, from->number);
        frame_free(FRAME_XDR(failed_msg), &failed, sizeof(failed));
        return failed_take(passage, header, body);
    }
    if (header->proc == P_DEPART_DONE)
        return done_take(from, header, body);
    if (conn_decode(pid_msg, header, body, &msg) < 0)
        return -EPROTO;
    ready_take(passage_find(msg.pid, from->number), conn, header);
    return 0;
}

static void lost_tell(const struct passage *passage)
{
    char text[60];
    failed_msg msg = { .pid = passage->pid, .error = BE_SLAVEDIED, .text = text };

    snprintf(text, sizeof(text), "node %d was lost", passage->to);
    link_event(node_at(passage->from), P_DEPART_FAILED, FRAME_XDR(failed_msg), &msg);
}

void passages_node_lost(int node)
{
    struct passage *passage, *next;

    for (passage = LIST_FIRST(&passages); passage; passage = next) {
        next = LIST_NEXT(passage, entry);
        if (passage->to == node)
            lost_tell(passage);
        if (passage->to == node || passage->from == node)
            passage_undo(passage);
    }
}
