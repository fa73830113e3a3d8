/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moves/check.h"
#include "moves/gate.h"
#include "moves/move_impl.h"

static struct conn *gate_take(struct move *move, unsigned index)
{
    int fd = move->fds[index];

    move->fds[index] = -1;
    return gate_open(move, fd);
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
    move->started = move_clock();
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

static int move_is_double(const struct move *self)
{
    struct move *move;

    LIST_FOREACH(move, &moves, entry)
        if (move != self && move->pid == self->pid && move->phase < MOVE_GATE)
            return 1;
    return 0;
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
