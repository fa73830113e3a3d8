/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <time.h>

#include "common/fault.h"
#include "common/fd.h"
#include "common/log.h"
#include "moves/account.h"
#include "moves/channel.h"
#include "moves/doubt.h"
#include "moves/gate.h"
#include "moves/move_impl.h"
#include "moves/vector.h"

struct move_list moves = LIST_HEAD_INITIALIZER(moves);
struct event_base *moves_base;
const struct move_ops *moves_ops;
static struct log_limit move_limit;

void moves_init(struct event_base *base, const struct move_ops *ops)
{
    moves_base = base;
    moves_ops = ops;
}

void moves_stop(void)
{
    accounts_end();
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

int64_t move_clock(void)
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

void move_free(struct move *move)
{
    LIST_REMOVE(move, entry);
    vector_leave(move);
    gate_end(move->gate);
    gate_end(move->copy);
    channel_leave(move);
    doubt_end(move->doubt);
    fd_close(&move->pidfd);
    handover_free(move);
    free(move->groups);
    free(move->dump.regions.regions_val);
    free(move->children);
    free(move);
}

/* What the caller has named cannot be executed: no concern of an administrator's. */
static int is_mistyped(const struct move *move, int error)
{
    return move->kind == MOVE_REXEC && (error == ENOENT || error == ENOTDIR || error == EACCES ||
                                        error == ENOEXEC || error == ELOOP);
}

/* Undoes and ends it. The caller hears first: one that hands over itself reads both. */
void move_fail(struct move *move, int error, const char *fmt, ...)
{
    /* The library tries another number, or the whole image, or there was no need for it. */
    int goes_on = (error == BPROC_PID_TAKEN && move->kind == MOVE_RFORK) ||
                  error == BPROC_IMAGE_LOST || error == BE_SAMENODE;
    char text[BPROC_MAX_TEXT];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (is_mistyped(move, error))
        log_info("%s pid %d -> %s: %s", account_kind(move->kind), move->pid,
                 move_node_name(move->node), text);
    else if (!goes_on)
        log_limited(&move_limit, 60, "%s pid %d -> %s failed: %s", account_kind(move->kind),
                    move->pid, move_node_name(move->node), text);
    if (move->client)
        conn_refuse(move->client, &move->header, error, "%s", text);
    gate_tell(move->gate, GATE_FAIL, move->node);
    gate_tell(move->copy, GATE_FAIL, move->node);
    moves_ops->undo(move, error, text);
    move_free(move);
}

void move_end(struct move *move)
{
    move_done_ret done = { .pid = move->pid };

    /* Before the ghost can hear of an exit: a child that ends first is taken for a failure. */
    if (move->client)
        conn_reply(move->client, &move->header, FRAME_XDR(move_done_ret), &done);
    moves_ops->done(move, move_clock() - move->started);
    account_close(move);
    move_free(move);
}

/* The image is in its file, and nothing goes anywhere. The end of its gate ends the copy. */
void move_end_dump(struct move *move)
{
    move_done_ret done = { .pid = move->pid };

    if (move->client)
        conn_reply(move->client, &move->header, FRAME_XDR(move_done_ret), &done);
    log_info("dump pid %d: %lld ms, %llu KiB", move->pid,
             (long long)(move_clock() - move->started) / 1000,
             (unsigned long long)move->bytes >> 10);
    move_free(move);
}

/* The image of an exec is there already, and that of one of a vector. */
static int is_dumped(const struct move *move)
{
    return move->how <= SHARE_LEAD && (move->kind == MOVE_RFORK || move->kind == MOVE_MOVE ||
                                       move->kind == MOVE_DUMP);
}

static unsigned serial_next(void)
{
    static unsigned last;

    return ++last ? last : ++last;
}

void move_start(struct move *move, const struct move_place *place)
{
    int error = FAULT(FAULT_MASTERD_HANDOVER);

    if (moves_ops->hears && (move->kind == MOVE_REXEC || move->kind == MOVE_EXECMOVE))
        move->serial = serial_next();
    vector_place(move, &place->to);
    if (!error)
        error = channel_start(move, place);
    if (error) {
        move_fail(move, -error, "cannot start the transfer: %s", strerror(-error));
        return;
    }
    move->begun = move_clock();
    handover_free(move);
    move->phase = is_dumped(move) ? MOVE_HANDED : MOVE_STARTED;
    if (move->how == SHARE_IMAGE)
        vector_dump(move);
    if (move->phase == MOVE_HANDED && move->copy_reached)
        channel_dump(move);
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

int move_is_early(const struct move *self)
{
    struct move *move;

    LIST_FOREACH(move, &moves, entry)
        if (move != self && move->pid == self->pid)
            return 1;
    return 0;
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

    accounts_node_lost(node);
    for (move = LIST_FIRST(&moves); move; move = next) {
        next = LIST_NEXT(move, entry);
        if (move->node == node)
            move_fail(move, BE_SLAVEDIED, "node %d was lost", node);
    }
}
