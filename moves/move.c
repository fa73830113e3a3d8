/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/fd.h"
#include "common/log.h"
#include "moves/check.h"
#include "moves/move.h"
#include "moves/mover.h"
#include "moves/task.h"

static LIST_HEAD(, move) moves = LIST_HEAD_INITIALIZER(moves);
static struct event_base *moves_base;
static const struct move_ops *moves_ops;
static struct log_limit move_limit;

static const char *const kind_names[] = {
    [MOVE_RFORK] = "rfork", [MOVE_REXEC] = "rexec", [MOVE_EXECMOVE] = "execmove",
    [MOVE_MOVE] = "move", [MOVE_DUMP] = "dump", [MOVE_UNDUMP] = "undump"
};

void moves_init(struct event_base *base, const struct move_ops *ops)
{
    moves_base = base;
    moves_ops = ops;
}

const char *move_node_name(int node)
{
    static char names[4][16];
    static unsigned next;
    char *name = names[next++ % 4];

    if (node < 0)
        return "the master";
    snprintf(name, sizeof(names[0]), "n%d", node);
    return name;
}

static int64_t now_usec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* What only the mover needs. */
static void handover_free(struct move *move)
{
    for (unsigned i = 0; i < move->nfds; i++)
        fd_close(&move->fds[i]);
    move->nfds = 0;
    frame_free(FRAME_XDR(move_handover_arg), &move->arg, sizeof(move->arg));
    memset(&move->arg, 0, sizeof(move->arg));
}

static void gate_end(struct conn *gate)
{
    if (!gate)
        return;
    /* Its on_close must find nothing to do. */
    conn_set_arg(gate, NULL);
    conn_close_after_send(gate);
}

static void move_free(struct move *move)
{
    struct conn *channel = move->channel;

    LIST_REMOVE(move, entry);
    gate_end(move->gate);
    gate_end(move->copy);
    if (channel) {
        conn_set_arg(channel, NULL);
        conn_close(channel, "done");
    }
    fd_close(&move->pidfd);
    fd_close(&move->dump_pidfd);
    handover_free(move);
    free(move->groups);
    free(move->children);
    free(move);
}

static void verdict_send(struct conn *gate, gate_verdict verdict, int node)
{
    gate_msg msg = { .verdict = verdict, .node = node };

    if (gate)
        conn_event(gate, P_GATE, FRAME_XDR(gate_msg), &msg);
}

/* Undoes and ends it. The caller hears first: one that hands over itself reads both. */
void move_fail(struct move *move, int error, const char *fmt, ...)
{
    char text[BPROC_MAX_TEXT];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (error != BPROC_PID_TAKEN)
        log_limited(&move_limit, 60, "%s pid %d -> %s failed: %s", kind_names[move->kind],
                    move->pid, move_node_name(move->node), text);
    if (move->client)
        conn_refuse(move->client, &move->header, error, "%s", text);
    verdict_send(move->gate, GATE_FAIL, move->node);
    verdict_send(move->copy, GATE_FAIL, move->node);
    moves_ops->undo(move, error, text);
    move_free(move);
}

static void move_log(const struct move *move)
{
    const unsigned *usec = move->usec;
    const char *unit = move->bytes >= 1 << 20 ? "MiB" : "KiB";
    double size = (double)move->bytes / (move->bytes >= 1 << 20 ? 1 << 20 : 1 << 10);

    log_info("%s pid %d -> %s: %lld ms (check %.1f dump %.1f connect %.1f send %.1f restore %.1f"
             " ack %.1f), %.1f %s", kind_names[move->kind], move->pid, move_node_name(move->node),
             (long long)(now_usec() - move->started) / 1000, usec[MT_CHECK] / 1e3,
             usec[MT_DUMP] / 1e3, usec[MT_CONNECT] / 1e3, usec[MT_SEND] / 1e3,
             usec[MT_RESTORE] / 1e3, usec[MT_ACK] / 1e3, size, unit);
}

static void move_end(struct move *move)
{
    move_done_ret done = { .pid = move->pid };

    /* Before the ghost can hear of an exit: a child that ends first is taken for a failure. */
    if (move->client)
        conn_reply(move->client, &move->header, FRAME_XDR(move_done_ret), &done);
    moves_ops->done(move, now_usec() - move->started);
    move_log(move);
    move_free(move);
}

/* ---- the gates ---- */

static void gate_hello(struct move *move)
{
    int error;

    FAULT(FAULT_MASTERD_HELLO);
    error = moves_ops->ghost(move, move->gate, move->pidfd);
    if (error) {
        move_fail(move, -error, "cannot take process %d for a ghost: %s", move->pid,
                  strerror(-error));
        return;
    }
    move->gate = NULL;
    move->pidfd = -1;
    move_end(move);
}

static void dump_begin(struct move *move)
{
    move->phase = MOVE_STARTED;
    conn_event(move->channel, P_MOVE_DUMP, NULL, NULL);
}

/* What is to be dumped is ready for it; perhaps before we are. */
static void gate_reached(struct move *move)
{
    move->copy_reached = 1;
    if (move->phase == MOVE_HANDED)
        dump_begin(move);
}

static void signal_take(struct move *move, const struct frame_header *header, const uint8_t *body)
{
    signal_msg msg;

    if (header->kind != K_EVENT || header->proc != P_GHOST_SIGNAL ||
        conn_decode(signal_msg, header, body, &msg) < 0 || msg.signo <= 0 || msg.signo >= NSIG)
        conn_close(move->gate, "message has no place here");
    else
        moves_ops->signal(move, &msg);
}

static int is_reached(const struct move *move, const struct frame_header *header)
{
    return header->kind == K_EVENT && header->proc == P_GATE_REACHED && !move->copy_reached &&
           (move->phase == MOVE_ASKING || move->phase == MOVE_HANDED);
}

static void gate_message(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                         int *fds, void *arg)
{
    struct move *move = arg;
    ghost_hello_arg hello;

    (void)fds;
    if (!move)
        return;
    if (move->phase == MOVE_LEAVING)
        signal_take(move, header, body);
    else if (conn == (move->copy ? move->copy : move->gate) && is_reached(move, header))
        gate_reached(move);
    else if (conn != move->gate || move->phase != MOVE_GATE || header->kind != K_EVENT ||
             header->proc != P_GHOST_HELLO ||
             conn_decode(ghost_hello_arg, header, body, &hello) < 0 || hello.pid != move->pid)
        conn_close(conn, "message has no place here");
    else
        gate_hello(move);
}

static void gate_closed(struct conn *conn, const char *reason, void *arg)
{
    struct move *move = arg;

    if (!move)
        return;
    if (conn == move->gate)
        move->gate = NULL;
    else
        move->copy = NULL;
    if (move->phase == MOVE_LEAVING)
        move_end(move);
    else
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

/* The image is in its file, and nothing goes anywhere. The end of its gate ends the copy. */
static void dump_end(struct move *move)
{
    move_done_ret done = { .pid = move->pid };

    if (move->client)
        conn_reply(move->client, &move->header, FRAME_XDR(move_done_ret), &done);
    log_info("dump pid %d: %lld ms, %llu KiB", move->pid,
             (long long)(now_usec() - move->started) / 1000,
             (unsigned long long)move->bytes >> 10);
    move_free(move);
}

static void ready_take(struct move *move)
{
    if (move->kind == MOVE_DUMP) {
        dump_end(move);
        return;
    }
    if (FAULT(FAULT_MASTERD_READY) < 0) {
        move_fail(move, EIO, "fault on purpose");
        return;
    }
    move->phase = MOVE_ENTERING;
    moves_ops->enter(move);
}

void move_commit(struct move *move)
{
    move->phase = MOVE_COMMITTING;
    conn_event(move->channel, P_MOVE_COMMIT, NULL, NULL);
    FAULT(FAULT_MASTERD_COMMIT);
}

static void committed_take(struct move *move)
{
    FAULT(FAULT_MASTERD_COMMITTED);
    move->phase = MOVE_GATE;
    /* The copy has done its work: the end of its gate ends it. */
    gate_end(move->copy);
    move->copy = NULL;
    if (moves_ops->committed(move)) {
        verdict_send(move->gate, GATE_GHOST, move->node);
        FAULT(FAULT_MASTERD_GATE);
        return;
    }
    move->phase = MOVE_LEAVING;
    verdict_send(move->gate, GATE_END, move->node);
}

static void failed_take(struct move *move, const move_report *report)
{
    int error = report->retry ? BPROC_PID_TAKEN : report->error > 0 ? report->error : EIO;

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
    else if (header->proc == P_MOVE_FAILED && move->phase < MOVE_GATE)
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
    if (move->phase < MOVE_GATE)
        move_fail(move, EIO, "the transfer broke off (%s)", reason);
}

static const struct conn_ops channel_ops = { channel_message, channel_closed, NULL };

/* ---- the beginning ---- */

static int channel_make(struct move *move, int *far)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    move->channel = conn_new_local(moves_base, ends[0], &channel_ops, move);
    if (!move->channel) {
        close(ends[1]);
        return -ENOMEM;
    }
    *far = ends[1];
    return 0;
}

static void start_fill(const struct move *move, const struct move_place *place,
                       move_start_arg *start)
{
    *start = (move_start_arg){
        .kind = move->kind, .node = move->node, .flags = place->flags,
        .pid = move->pid, .ppid = move->ppid, .pgid = move->pgid, .sid = move->sid,
        .dump_pid = move->dump_pid, .task = move->task, .parent = move->parent,
        .space = move->space,
        .uid = move->uid, .gid = move->gid, .groups = { move->ngroups, move->groups },
        .gate_inode = move->arg.gate_inode, .addr = place->addr, .data_port = place->data_port,
        .node_is_up = place->node_is_up, .io_direct = place->io_direct,
        .ping_timeout = place->ping_timeout, .ticket = place->ticket,
        .libraries = place->libraries,
        .children = { move->nchildren, move->children },
        .streams = { move->arg.streams.streams_len, move->arg.streams.streams_val }
    };
}

/* Descriptors for the mover: its channel, the spec of an exec, the pidfd, all others in order. */
static int mover_tell(struct move *move, const struct move_place *place)
{
    unsigned first = move->kind == MOVE_RFORK ? 1 : 2;
    int out[BPROC_MAX_FDS];
    move_start_arg start;
    unsigned count = 1;
    int error = move->nfds + 1 > BPROC_MAX_FDS ? -EMFILE : channel_make(move, &out[0]);

    if (error)
        return error;
    if (move->kind != MOVE_RFORK && move->kind != MOVE_MOVE)
        out[count++] = move->fds[1];
    out[count++] = move->dump_pidfd;
    for (unsigned i = first; i < move->nfds; i++)
        out[count++] = move->fds[i];
    start_fill(move, place, &start);
    error = mover_ask(&start, out, count);
    close(out[0]);
    return error;
}

void move_start(struct move *move, const struct move_place *place)
{
    int error = FAULT(FAULT_MASTERD_HANDOVER);

    if (!error)
        error = mover_tell(move, place);
    if (error) {
        move_fail(move, -error, "cannot start the transfer: %s", strerror(-error));
        return;
    }
    handover_free(move);
    /* The image of an exec is there already. */
    move->phase = move->kind == MOVE_RFORK || move->kind == MOVE_MOVE || move->kind == MOVE_DUMP
                      ? MOVE_HANDED : MOVE_STARTED;
    if (move->phase == MOVE_HANDED && move->copy_reached)
        dump_begin(move);
    FAULT(FAULT_MASTERD_STARTED);
}

struct move *move_find(int pid)
{
    struct move *move;

    LIST_FOREACH(move, &moves, entry)
        if (move->pid == pid)
            break;
    return move;
}

static int move_is_double(const struct move *self)
{
    struct move *move;

    LIST_FOREACH(move, &moves, entry)
        if (move != self && move->pid == self->pid)
            return 1;
    return 0;
}

static struct conn *gate_take(struct move *move, unsigned index)
{
    int fd = move->fds[index];

    move->fds[index] = -1;
    return conn_new_local(moves_base, fd, &gate_ops, move);
}

/* NULL when there is no gate among the descriptors: then there is nobody to tell but the client. */
static struct move *move_new(struct conn *conn, const struct frame_header *header,
                             move_handover_arg *arg, int *fds)
{
    struct move *move = calloc(1, sizeof(*move));

    if (!move)
        return NULL;
    move->pidfd = move->dump_pidfd = -1;
    move->client = conn;
    move->header = *header;
    move->kind = arg->kind;
    move->pid = move->dump_pid = arg->pid;
    move->node = arg->node;
    move->flags = arg->flags;
    move->started = now_usec();
    move->arg = *arg;
    memset(arg, 0, sizeof(*arg));
    for (move->nfds = 0; move->nfds < header->nfds; move->nfds++) {
        move->fds[move->nfds] = fds[move->nfds];
        fds[move->nfds] = -1;
    }
    LIST_INSERT_HEAD(&moves, move, entry);
    move->gate = gate_take(move, 0);
    if (move->gate && move->kind == MOVE_MOVE && move->nfds > 1)
        move->copy = gate_take(move, 1);
    if (move->gate && (move->copy || move->kind != MOVE_MOVE))
        return move;
    move_free(move);
    return NULL;
}

/* Everything about the process that can be known here. */
static int move_examine(struct move *move, const struct caller *caller, char *text, size_t len)
{
    int error = check_streams(&move->arg, move->fds, move->nfds, text, len);

    if (!error)
        error = check_task(moves_ops, caller, move, text, len);
    if (!error && move_is_double(move)) {
        snprintf(text, len, "process %d is on its way already", move->pid);
        error = EALREADY;
    }
    return error;
}

static int kind_is_known(move_kind kind)
{
    return kind >= MOVE_RFORK && kind <= MOVE_UNDUMP;
}

void move_handover(struct conn *conn, const struct caller *caller,
                   const struct frame_header *header, const uint8_t *body, int *fds)
{
    move_handover_arg arg;
    char text[200] = "";
    struct move *move = NULL;
    int error;

    if (conn_decode(move_handover_arg, header, body, &arg) < 0) {
        conn_close(conn, "arguments do not decode");
        return;
    }
    if (header->nfds > 0 && kind_is_known(arg.kind))
        move = move_new(conn, header, &arg, fds);
    frame_free(FRAME_XDR(move_handover_arg), &arg, sizeof(arg));
    if (!move) {
        conn_refuse(conn, header, EINVAL, "there is no gate");
        return;
    }
    error = move_examine(move, caller, text, sizeof(text));
    if (error)
        move_fail(move, error, "%s", text);
    else
        moves_ops->allow(move);
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
        if (move->kind == MOVE_RFORK || move->kind == MOVE_DUMP)
            move_fail(move, EIO, "the caller went away");
    }
}

void moves_node_lost(int node)
{
    struct move *move, *next;

    for (move = LIST_FIRST(&moves); move; move = next) {
        next = LIST_NEXT(move, entry);
        if (move->node == node)
            move_fail(move, BE_SLAVEDIED, "node %d was lost", node);
    }
}
