/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "moves/check.h"
#include "moves/gate.h"
#include "moves/move_impl.h"
#include "moves/vector.h"

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
    move->pidfd = -1;
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

int move_is_double(const struct move *self)
{
    struct move *move;

    /* By one that was told to let its process run this one may have come, out of a file. */
    LIST_FOREACH(move, &moves, entry)
        if (move != self && move->pid == self->pid && move->phase < MOVE_COMMITTING)
            return 1;
    return 0;
}

/* Those that come with one that cannot be handed over cannot be, either. */
static void others_refuse(struct conn *conn, const struct frame_header *header, unsigned others,
                          int error, const char *text)
{
    for (unsigned i = 1; i <= others; i++) {
        struct frame_header asked = *header;

        asked.serial += i;
        conn_refuse(conn, &asked, error, "%s", text);
    }
}

/* Everything about the process that can be known here. */
static int move_examine(struct move *move, const struct caller *caller, char *text, size_t len)
{
    unsigned others = move->arg.others.others_len;
    int error = others == 0 ? 0 : others >= move->nfds || move->kind != MOVE_RFORK ? EINVAL
                : moves_ops->vectors ? 0 : EOPNOTSUPP;

    if (error)
        snprintf(text, len, "%u others of a vector cannot come along here", others);
    else
        error = check_streams(&move->arg, move->fds, move->nfds - others, text, len);

    if (!error)
        error = check_task(moves_ops, caller, move, text, len);
    if (!error && move_is_double(move)) {
        snprintf(text, len, "process %d is on its way already", move->pid);
        error = EALREADY;
    }
    return error;
}

/* Who did not know that before has asked at the same time, and goes by that answer. */
static int stays_here(const struct move *move, const struct caller *caller)
{
    return move->kind < MOVE_DUMP &&
           (move->node == caller->node || move->node == BPROC_NODE_SELF);
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
    unsigned others;
    int error;

    if (conn_decode(move_handover_arg, header, body, &arg) < 0) {
        conn_close(conn, "arguments do not decode");
        return;
    }
    others = arg.others.others_len;
    if (header->nfds > 0 && kind_is_known(arg.kind))
        move = move_new(conn, header, &arg, fds);
    frame_free(FRAME_XDR(move_handover_arg), &arg, sizeof(arg));
    if (!move) {
        conn_refuse(conn, header, EINVAL, "there is no gate");
        others_refuse(conn, header, others, EINVAL, "there is no gate");
        return;
    }
    move->rank = move->arg.rank;
    move->ahead = move->arg.ahead && (move->kind == MOVE_REXEC || move->kind == MOVE_EXECMOVE);
    if (stays_here(move, caller)) {
        snprintf(text, sizeof(text), "the process is on that node already");
        error = BE_SAMENODE;
    } else {
        error = move_examine(move, caller, text, sizeof(text));
    }
    if (!error && others > 0) {
        snprintf(text, sizeof(text), "out of memory");
        error = vector_make(move, caller);
    }
    if (!error) {
        moves_ops->allow(move);
        return;
    }
    move_fail(move, error, "%s", text);
    others_refuse(conn, header, others, error, text);
}
