/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fault.h"
#include "moves/carrierpool.h"
#include "moves/channel.h"
#include "moves/doubt.h"
#include "moves/gate.h"
#include "moves/move_impl.h"
#include "moves/mover.h"
#include "moves/vector.h"

static void report_keep(struct move *move, const move_report *report)
{
    for (int i = 0; i < MOVE_NTIMES; i++)
        if (report->usec[i] > move->usec[i])
            move->usec[i] = report->usec[i];
    if (report->bytes > move->bytes)
        move->bytes = report->bytes;
    move->reported = 1;
    move->spare = report->spare;
}

static void move_ready(struct move *move)
{
    if (FAULT(FAULT_MASTERD_READY) < 0) {
        move_fail(move, EIO, "fault on purpose");
        return;
    }
    if (vector_holds(move))
        return;
    move->phase = MOVE_ENTERING;
    moves_ops->enter(move);
}

static void move_committed(struct move *move)
{
    FAULT(FAULT_MASTERD_COMMITTED);
    move->phase = MOVE_GATE;
    move->committed = move_clock();
    /* The copy has done its work: the end of its gate ends it. */
    gate_end(move->copy);
    move->copy = NULL;
    if (moves_ops->committed(move)) {
        gate_tell(move->gate, GATE_GHOST, move->node);
        FAULT(FAULT_MASTERD_GATE);
        if (move->ahead)
            gate_hello(move);
        return;
    }
    move->phase = MOVE_LEAVING;
    gate_tell(move->gate, GATE_END, move->node);
}

/* What it has said and has not been read yet is that a program runs, or does not. */
static int has_reported(const struct move *move)
{
    char byte;

    return move->spare || (move->serial && recv(conn_fd(move->channel), &byte, sizeof(byte),
                                                MSG_PEEK | MSG_DONTWAIT) > 0);
}

/*
 * The mover's child of what runs already may not have heard of that yet. If it has, it is not to be
 * woken: it may be through with it.
 */
void move_commit(struct move *move)
{
    if (doubt_has(move))
        return;
    move->phase = MOVE_COMMITTING;
    if (!has_reported(move))
        conn_event(move->channel, P_MOVE_COMMIT, NULL, NULL);
    FAULT(FAULT_MASTERD_COMMIT);
    if (move->runs)
        move_committed(move);
}

/* By the word of the node or of the mover's child, whichever is heard first. */
static void program_runs(struct move *move)
{
    move->runs = 1;
    move_ready(move);
}

int move_runs(int node, const started_msg *started)
{
    struct move *move;

    LIST_FOREACH(move, &moves, entry)
        if (move->serial && move->serial == started->serial && move->pid == started->pid &&
            move->node == node && move->phase == MOVE_STARTED && !doubt_has(move))
            break;
    if (move)
        program_runs(move);
    return move != NULL;
}

static void failed_take(struct move *move, const move_report *report)
{
    int error = report->retry ? BPROC_PID_TAKEN : report->error > 0 ? report->error : EIO;

    if (!vector_retries(move))
        doubt_begin(move, error, report->text[0] ? report->text : strerror(error));
}

static void image_take(struct move *move, const struct frame_header *header, int *fds)
{
    int memory = header->nfds > 1 ? fds[1] : -1;

    if (header->nfds == 0 || header->nfds > 2) {
        conn_close(move->channel, "image does not decode");
        return;
    }
    vector_image(move, fds[0], memory);
    fds[0] = fds[1] = -1;
}

static void channel_message(struct conn *conn, const struct frame_header *header,
                            const uint8_t *body, int *fds, void *arg)
{
    struct move *move = arg;
    move_report report;

    if (!move)
        return;
    if (header->proc == P_MOVE_IMAGE) {
        image_take(move, header, fds);
        return;
    }
    if (conn_decode(move_report, header, body, &report) < 0) {
        conn_close(conn, "report does not decode");
        return;
    }
    report_keep(move, &report);
    if (header->proc == P_MOVE_READY && move->phase == MOVE_STARTED && !move->serial)
        move->kind == MOVE_DUMP ? move_end_dump(move) : move_ready(move);
    else if (header->proc == P_MOVE_COMMITTED && move->phase == MOVE_COMMITTING)
        move_committed(move);
    else if (header->proc == P_MOVE_COMMITTED && move->phase == MOVE_STARTED && move->serial)
        program_runs(move);
    else if (header->proc == P_MOVE_FAILED && move->phase < MOVE_GATE)
        failed_take(move, &report);
    frame_free(FRAME_XDR(move_report), &report, sizeof(report));
}

static void channel_closed(struct conn *conn, const char *reason, void *arg)
{
    struct move *move = arg;
    char text[BPROC_MAX_TEXT];

    (void)conn;
    if (!move)
        return;
    move->channel = NULL;
    if (vector_retries(move) || move->phase >= MOVE_GATE)
        return;
    snprintf(text, sizeof(text), "the transfer broke off (%s)", reason);
    doubt_begin(move, EIO, text);
}

static const struct conn_ops channel_ops = { channel_message, channel_closed, NULL };

/* By a child that is free, which waits at its end of the channel; a new one is given it. */
static int channel_open(struct move *move, const move_start_arg *start, int *fds, unsigned nfds)
{
    int ends[2], error;

    move->to = start->to;
    move->mover = carrierpool_mover();
    move->channel = carrierpool_take(&start->to);
    if (move->channel) {
        conn_set_ops(move->channel, &channel_ops, move);
        return conn_send(move->channel, K_EVENT, P_MOVE_START, 0, 0, FRAME_XDR(move_start_arg),
                         start, fds, nfds);
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    move->channel = conn_new_local(moves_base, ends[0], &channel_ops, move);
    error = move->channel ? 0 : -ENOMEM;
    fds[nfds] = ends[1];
    if (!error)
        error = mover_ask(start, fds, nfds + 1);
    close(ends[1]);
    return error;
}

static void start_fill(const struct move *move, const struct move_place *place,
                       const move_handover_arg *arg, move_start_arg *start)
{
    *start = (move_start_arg){
        .kind = move->kind, .flags = place->flags,
        .pid = move->pid, .ppid = move->ppid, .puid = move->puid,
        .pgid = move->pgid, .sid = move->sid,
        .dump_pid = move->dump_pid, .task = move->task, .parent = move->parent,
        .space = move->space,
        .uid = move->uid, .gid = move->gid, .groups = { move->ngroups, move->groups },
        .least = move->least, .gate_inode = arg->gate_inode, .to = place->to,
        .node_is_up = place->node_is_up, .io_direct = place->io_direct,
        .ping_timeout = place->ping_timeout, .ticket = place->ticket, .serial = move->serial,
        .libraries = place->libraries,
        .children = { move->nchildren, move->children },
        .streams = { arg->streams.streams_len, arg->streams.streams_val }
    };
    vector_tell(move, &start->share);
}

/*
 * Descriptors for the mover: the spec of an exec or the image that is there, all others in order.
 */
int channel_start(struct move *move, const struct move_place *place)
{
    int has_spec = move->kind != MOVE_RFORK && move->kind != MOVE_MOVE;
    const int *rest = move->fds + (move->kind == MOVE_RFORK ? 1 : 2);
    const move_handover_arg *arg = &move->arg;
    unsigned left = move->nfds - (move->kind == MOVE_RFORK ? 1 : 2), count = 0;
    int out[BPROC_MAX_FDS];
    move_start_arg start;

    if (move->vector)
        arg = vector_streams(move, &rest, &left);
    if (left + 2 > BPROC_MAX_FDS)
        return -EMFILE;
    if (has_spec)
        out[count++] = move->fds[1];
    else if (move->how == SHARE_IMAGE)
        out[count++] = vector_folder(move);
    for (unsigned i = 0; i < left; i++)
        out[count++] = rest[i];
    start_fill(move, place, arg, &start);
    return channel_open(move, &start, out, count);
}

void channel_leave(struct move *move)
{
    struct conn *channel = move->channel;

    if (!channel)
        return;
    move->channel = NULL;
    if (move->spare) {
        carrierpool_put(&move->to, move->mover, channel);
        return;
    }
    conn_set_arg(channel, NULL);
    conn_close(channel, "done");
}

void channel_dump(struct move *move)
{
    move->phase = MOVE_STARTED;
    conn_event(move->channel, P_MOVE_DUMP, FRAME_XDR(dump_arg), &move->dump);
}
