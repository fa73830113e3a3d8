/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common/fault.h"
#include "moves/channel.h"
#include "moves/gate.h"
#include "moves/move_impl.h"
#include "moves/twin.h"

void gate_hello(struct move *move)
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

/* What is to be dumped is ready for it; perhaps before we are. */
static void gate_reached(struct move *move, const struct frame_header *header, const uint8_t *body)
{
    char text[200];
    int error = twin_take(move, header, body, text, sizeof(text));

    if (error) {
        move_fail(move, error, "%s", text);
        return;
    }
    move->copy_reached = 1;
    if (move->phase == MOVE_HANDED)
        channel_dump(move);
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

static int is_hello(const struct move *move, const struct frame_header *header)
{
    return header->kind == K_EVENT && header->proc == P_GHOST_HELLO && move->phase == MOVE_GATE;
}

static void hello_take(struct move *move, const struct frame_header *header, const uint8_t *body)
{
    ghost_hello_arg hello;

    if (conn_decode(ghost_hello_arg, header, body, &hello) < 0 || hello.pid != move->pid)
        conn_close(move->gate, "message has no place here");
    else
        gate_hello(move);
}

static void gate_message(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                         int *fds, void *arg)
{
    struct move *move = arg;

    (void)fds;
    if (!move)
        return;
    if (move->phase == MOVE_LEAVING)
        signal_take(move, header, body);
    else if (conn == (move->copy ? move->copy : move->gate) && is_reached(move, header))
        gate_reached(move, header, body);
    else if (conn == move->gate && is_hello(move, header))
        hello_take(move, header, body);
    else
        conn_close(conn, "message has no place here");
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

struct conn *gate_open(struct move *move, int fd)
{
    return conn_new_local(moves_base, fd, &gate_ops, move);
}

void gate_tell(struct conn *gate, gate_verdict verdict, int node)
{
    gate_msg msg = { .verdict = verdict, .node = node };

    if (gate)
        conn_event(gate, P_GATE, FRAME_XDR(gate_msg), &msg);
}

void gate_end(struct conn *gate)
{
    if (!gate)
        return;
    /* Its on_close must find nothing to do. */
    conn_set_arg(gate, NULL);
    conn_close_after_send(gate);
}
