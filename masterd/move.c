/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/fd.h"
#include "common/log.h"
#include "masterd/ghost.h"
#include "masterd/master.h"
#include "masterd/move.h"
#include "masterd/move_check.h"
#include "masterd/mover.h"
#include "masterd/proctable.h"
#include "masterd/stats.h"

enum move_phase {
    MOVE_HANDED,        /* an rfork's child still closes what must not be in its image */
    MOVE_STARTED,       /* the mover is at work */
    MOVE_COMMITTING,    /* told to let the process run */
    MOVE_GATE           /* it runs; what waits here is becoming the ghost */
};

struct move {
    LIST_ENTRY(move) entry;
    enum move_phase phase;
    struct conn *client;            /* NULL: gone, or nobody waits */
    struct frame_header header;     /* of the client's call */
    struct conn *gate;
    struct conn *channel;           /* to the mover's child */
    move_kind kind;
    int pid, node;
    pid_t ppid;
    int pidfd;
    struct proc *proc;              /* from MOVE_COMMITTING on */
    int64_t started;
    unsigned usec[MOVE_NTIMES];
    uint64_t bytes;
};

static LIST_HEAD(, move) moves = LIST_HEAD_INITIALIZER(moves);
static struct log_limit move_limit;

static const char *const kind_names[] = {
    [MOVE_RFORK] = "rfork", [MOVE_REXEC] = "rexec", [MOVE_EXECMOVE] = "execmove"
};

static void move_free(struct move *move)
{
    struct conn *gate = move->gate, *channel = move->channel;

    LIST_REMOVE(move, entry);
    /* Their on_close must find nothing to do. */
    move->gate = move->channel = NULL;
    if (gate) {
        conn_set_arg(gate, NULL);
        conn_close_after_send(gate);
    }
    if (channel) {
        conn_set_arg(channel, NULL);
        conn_close(channel, "done");
    }
    fd_close(&move->pidfd);
    free(move);
}

/* Undoes and ends it. The caller hears first: one that hands over itself reads both. */
__attribute__((format(printf, 3, 4)))
static void move_fail(struct move *move, int error, const char *fmt, ...)
{
    gate_msg verdict = { .verdict = GATE_FAIL, .node = move->node };
    char text[BPROC_MAX_TEXT];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (error != EEXIST) {
        log_limited(&move_limit, 60, "%s pid %d -> n%d failed: %s", kind_names[move->kind],
                    move->pid, move->node, text);
        stats_failed();
    }
    if (move->client)
        conn_refuse(move->client, &move->header, error, "%s", text);
    if (move->gate)
        conn_event(move->gate, P_GATE, FRAME_XDR(gate_msg), &verdict);
    if (move->proc)
        proc_release(move->proc);
    move_free(move);
}

static void move_log(const struct move *move)
{
    const unsigned *usec = move->usec;
    const char *unit = move->bytes >= 1 << 20 ? "MiB" : "KiB";
    double size = (double)move->bytes / (move->bytes >= 1 << 20 ? 1 << 20 : 1 << 10);

    log_info("%s pid %d -> n%d: %lld ms (check %.1f dump %.1f connect %.1f send %.1f restore %.1f"
             " ack %.1f), %.1f %s", kind_names[move->kind], move->pid, move->node,
             (long long)(master_now() - move->started), usec[MT_CHECK] / 1e3, usec[MT_DUMP] / 1e3,
             usec[MT_CONNECT] / 1e3, usec[MT_SEND] / 1e3, usec[MT_RESTORE] / 1e3,
             usec[MT_ACK] / 1e3, size, unit);
}

/* ---- the gate ---- */

static void gate_hello(struct move *move)
{
    move_done_ret done = { .pid = move->pid };
    int error;

    FAULT(FAULT_MASTERD_HELLO);
    error = ghost_start(move->gate, move->pidfd, move->pid, move->ppid, move->node);
    if (error) {
        move_fail(move, -error, "cannot take process %d for a ghost: %s", move->pid,
                  strerror(-error));
        return;
    }
    move->gate = NULL;
    move->pidfd = -1;
    /* Before the ghost can hear of an exit: a child that ends first is taken for a failure. */
    if (move->client)
        conn_reply(move->client, &move->header, FRAME_XDR(move_done_ret), &done);
    ghost_claim(move->proc, move->pid, move->node);
    move_log(move);
    stats_moved((uint64_t)(master_now() - move->started) * 1000, move->bytes);
    move_free(move);
}

static void gate_reached(struct move *move)
{
    move->phase = MOVE_STARTED;
    conn_event(move->channel, P_MOVE_DUMP, NULL, NULL);
}

static void gate_message(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                         int *fds, void *arg)
{
    struct move *move = arg;
    ghost_hello_arg hello;

    (void)fds;
    if (!move)
        return;
    if (move->phase == MOVE_HANDED && header->kind == K_EVENT && header->proc == P_GATE_REACHED)
        gate_reached(move);
    else if (move->phase != MOVE_GATE || header->kind != K_EVENT ||
             header->proc != P_GHOST_HELLO ||
             conn_decode(ghost_hello_arg, header, body, &hello) < 0 || hello.pid != move->pid)
        conn_close(conn, "message has no place here");
    else
        gate_hello(move);
}

static void gate_closed(struct conn *conn, const char *reason, void *arg)
{
    struct move *move = arg;

    (void)conn;
    if (!move)
        return;
    move->gate = NULL;
    move_fail(move, EIO, "the process went away from its gate (%s)", reason);
}

static const struct conn_ops gate_ops = { gate_message, gate_closed, NULL };

/* ---- the mover ---- */

static void report_keep(struct move *move, const move_report *report)
{
    for (int i = 0; i < MOVE_NTIMES; i++)
        if (report->usec[i] > move->usec[i])
            move->usec[i] = report->usec[i];
    if (report->bytes > move->bytes)
        move->bytes = report->bytes;
}

static void ready_take(struct move *move)
{
    if (FAULT(FAULT_MASTERD_READY) < 0) {
        move_fail(move, EIO, "fault on purpose");
        return;
    }
    move->proc = proc_new(move->pid, move->node);
    if (!move->proc && errno == EEXIST) {
        move_fail(move, EEXIST, "an older process still has number %d on node %d", move->pid,
                  move->node);
        return;
    }
    if (!move->proc) {
        move_fail(move, errno, "cannot enter the process: %s", strerror(errno));
        return;
    }
    move->phase = MOVE_COMMITTING;
    conn_event(move->channel, P_MOVE_COMMIT, NULL, NULL);
    FAULT(FAULT_MASTERD_COMMIT);
}

static void committed_take(struct move *move)
{
    gate_msg verdict = { .verdict = GATE_GHOST, .node = move->node };

    FAULT(FAULT_MASTERD_COMMITTED);
    move->phase = MOVE_GATE;
    conn_event(move->gate, P_GATE, FRAME_XDR(gate_msg), &verdict);
    FAULT(FAULT_MASTERD_GATE);
}

static void failed_take(struct move *move, const move_report *report)
{
    int error = report->retry ? EEXIST : report->error > 0 ? report->error : EIO;

    move_fail(move, error, "%s", report->text[0] ? report->text : strerror(error));
}

static void channel_message(struct conn *conn, const struct frame_header *header,
                            const uint8_t *body, int *fds, void *arg)
{
    struct move *move = arg;
    move_report report;

    (void)fds;
    if (!move)
        return;
    if (conn_decode(move_report, header, body, &report) < 0) {
        conn_close(conn, "report does not decode");
        return;
    }
    report_keep(move, &report);
    if (header->proc == P_MOVE_READY && move->phase == MOVE_STARTED)
        ready_take(move);
    else if (header->proc == P_MOVE_COMMITTED && move->phase == MOVE_COMMITTING)
        committed_take(move);
    else if (header->proc == P_MOVE_FAILED && move->phase != MOVE_GATE)
        failed_take(move, &report);
    frame_free(FRAME_XDR(move_report), &report, sizeof(report));
}

static void channel_closed(struct conn *conn, const char *reason, void *arg)
{
    struct move *move = arg;

    (void)conn;
    if (!move)
        return;
    move->channel = NULL;
    if (move->phase != MOVE_GATE)
        move_fail(move, EIO, "the transfer broke off (%s)", reason);
}

static const struct conn_ops channel_ops = { channel_message, channel_closed, NULL };

/* ---- the beginning ---- */

static int channel_make(struct move *move, int *far)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    move->channel = conn_new_local(master.base, ends[0], &channel_ops, move);
    if (!move->channel) {
        close(ends[1]);
        return -ENOMEM;
    }
    *far = ends[1];
    return 0;
}

/* Descriptors for the mover: its channel, the spec of an exec, the pidfd, all others in order. */
static int mover_tell(struct move *move, const struct caller *caller, const move_handover_arg *arg,
                      const struct node *node, const struct task *task, const int *fds,
                      unsigned nfds)
{
    move_start_arg start = {
        .kind = arg->kind, .node = arg->node, .flags = move_check_flags(arg->flags, node),
        .port = arg->port, .pid = arg->pid, .ppid = move->ppid, .uid = caller->uid,
        .gid = task->gids[0], .gate_inode = arg->gate_inode, .addr = node->addr,
        .data_port = node->data_port, .node_is_up = node->state == NODE_UP,
        .io_direct = (unsigned)master.conf->io_direct,
        .groups = { task->ngroups, (unsigned *)(uintptr_t)task->groups },
        .streams = { arg->streams.streams_len, arg->streams.streams_val }
    };
    unsigned first = arg->kind == MOVE_RFORK ? 1 : 2;
    int out[BPROC_MAX_FDS];
    unsigned count = 1;
    int error = nfds + 1 > BPROC_MAX_FDS ? -EMFILE : channel_make(move, &out[0]);

    if (error)
        return error;
    if (first == 2)
        out[count++] = fds[1];
    out[count++] = move->pidfd;
    for (unsigned i = first; i < nfds; i++)
        out[count++] = fds[i];
    error = mover_ask(&start, out, count);
    close(out[0]);
    return error;
}

static int move_is_under_way(const struct move *self)
{
    struct move *move;

    LIST_FOREACH(move, &moves, entry)
        if (move != self && move->pid == self->pid)
            return 1;
    return 0;
}

/* NULL when there is no gate among the descriptors: then there is nobody to tell but the client. */
static struct move *move_new(struct conn *conn, const struct frame_header *header,
                             const move_handover_arg *arg, int *fds)
{
    struct move *move = calloc(1, sizeof(*move));

    if (!move)
        return NULL;
    move->gate = conn_new_local(master.base, fds[0], &gate_ops, move);
    fds[0] = -1;
    if (!move->gate) {
        free(move);
        return NULL;
    }
    move->client = conn;
    move->header = *header;
    move->kind = arg->kind;
    move->phase = arg->kind == MOVE_RFORK ? MOVE_HANDED : MOVE_STARTED;
    move->pid = arg->pid;
    move->node = arg->node;
    move->pidfd = -1;
    move->started = master_now();
    LIST_INSERT_HEAD(&moves, move, entry);
    return move;
}

static void move_begin(struct move *move, const struct caller *caller,
                       const move_handover_arg *arg, const int *fds, unsigned nfds)
{
    static struct task task;        /* too large for the stack of a callback, used here alone */
    struct node *node;
    char text[200] = "";
    int error = move_check_node(caller, arg->node, &node, text, sizeof(text));

    if (!error && !node) {
        snprintf(text, sizeof(text), "the process is on that node already");
        error = BE_SAMENODE;
    }
    if (!error && move_is_under_way(move)) {
        snprintf(text, sizeof(text), "process %d is on its way already", move->pid);
        error = EALREADY;
    }
    if (!error)
        error = move_check_streams(arg, fds, nfds, text, sizeof(text));
    if (!error)
        error = move_check_task(caller, arg, &task, &move->pidfd, text, sizeof(text));
    move->ppid = task.ppid;
    if (!error && FAULT(FAULT_MASTERD_HANDOVER) < 0)
        error = EIO;
    if (!error) {
        error = -mover_tell(move, caller, arg, node, &task, fds, nfds);
        snprintf(text, sizeof(text), "cannot start the transfer: %s", strerror(error));
    }
    if (error)
        move_fail(move, error, "%s", text);
    FAULT(FAULT_MASTERD_STARTED);
}

void move_handover(struct conn *conn, const struct caller *caller,
                   const struct frame_header *header, const uint8_t *body, int *fds)
{
    move_handover_arg arg;
    struct move *move;

    if (conn_decode(move_handover_arg, header, body, &arg) < 0) {
        conn_close(conn, "arguments do not decode");
        return;
    }
    move = header->nfds > 0 ? move_new(conn, header, &arg, fds) : NULL;
    if (move)
        move_begin(move, caller, &arg, fds, header->nfds);
    else
        conn_refuse(conn, header, EINVAL, "there is no gate");
    frame_free(FRAME_XDR(move_handover_arg), &arg, sizeof(arg));
}

void move_ask(struct conn *conn, const struct caller *caller, const struct frame_header *header,
              const uint8_t *body)
{
    move_ask_arg arg;
    move_ask_ret ret;
    struct node *node;
    char text[200];
    int error;

    if (conn_decode(move_ask_arg, header, body, &arg) < 0) {
        conn_close(conn, "arguments do not decode");
        return;
    }
    error = move_check_node(caller, arg.node, &node, text, sizeof(text));
    if (!error && node && arg.kind == MOVE_RFORK && mover_criu_missing()) {
        error = ENOSYS;
        snprintf(text, sizeof(text), "no usable CRIU here: %s", mover_criu_missing());
        log_limited(&move_limit, 60, "rfork to node %d refused: %s", node->number, text);
    }
    if (error) {
        conn_refuse(conn, header, error, "%s", text);
        return;
    }
    ret.node = node ? node->number : BPROC_NODE_MASTER;
    ret.same = node == NULL;
    ret.flags = move_check_flags(arg.flags, node);
    FAULT(FAULT_MASTERD_ASKED);
    conn_reply(conn, header, FRAME_XDR(move_ask_ret), &ret);
}

/* ---- ends from outside ---- */

void move_client_gone(struct conn *conn)
{
    struct move *move, *next;

    for (move = LIST_FIRST(&moves); move; move = next) {
        next = LIST_NEXT(move, entry);
        if (move->client != conn)
            continue;
        move->client = NULL;
        /* A process that hands over itself has no further use for the connection. */
        if (move->kind == MOVE_RFORK)
            move_fail(move, EIO, "the caller went away");
    }
}

void moves_node_lost(struct node *node)
{
    struct move *move, *next;

    for (move = LIST_FIRST(&moves); move; move = next) {
        next = LIST_NEXT(move, entry);
        if (move->node == node->number)
            move_fail(move, BE_SLAVEDIED, "node %d was lost", node->number);
    }
}
