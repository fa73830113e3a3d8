/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/conn.h"
#include "common/fd.h"
#include "moves/check.h"
#include "moves/gate.h"
#include "moves/move_impl.h"
#include "moves/vector.h"

#define PLACE_NONE (-2)

struct vector {
    struct event *turn;
    unsigned count;                     /* room in moves */
    unsigned alive;
    struct move *moves[1 + BPROC_MAX_VECTOR];   /* the first is dumped; NULL: gone */
    node_place places[1 + BPROC_MAX_VECTOR];    /* where it goes, once that is known */
    int nodes[1 + BPROC_MAX_VECTOR];
    int given[1 + BPROC_MAX_VECTOR];    /* what it got is the image, from us or another node */
    int forks;                          /* they may be forked */
    int lead_pid;
    int image;                          /* -1: not yet */
    uint64_t largest;
    share_word word;
    move_handover_arg arg;              /* whose streams are all the others', too */
    int originals[BPROC_MAX_FDS];
    unsigned noriginals;
};

static void vector_free(struct vector *vector)
{
    if (vector->turn)
        event_free(vector->turn);
    for (unsigned i = 0; i < vector->noriginals; i++)
        fd_close(&vector->originals[i]);
    fd_close(&vector->image);
    frame_free(FRAME_XDR(move_handover_arg), &vector->arg, sizeof(vector->arg));
    free(vector);
}

static unsigned index_of(const struct move *move)
{
    unsigned i = 0;

    while (move->vector->moves[i] != move)
        i++;
    return i;
}

static void vector_wake(struct vector *vector)
{
    event_active(vector->turn, EV_TIMEOUT, 0);
}

/* ---- whose turn it is ---- */

static int is_on(const struct move *move, int node)
{
    return move && move->node == node;
}

/* One that was restored, or is about to be, on that node, and has not been committed. */
static struct move *head_find(const struct vector *vector, int node)
{
    for (unsigned i = 0; i < vector->count; i++) {
        struct move *move = vector->moves[i];

        if (is_on(move, node) && (move->how == SHARE_LEAD || move->how == SHARE_IMAGE) &&
            move->phase <= MOVE_HELD)
            return move;
    }
    return NULL;
}

/* Whoever waits there may go on: nobody is to be forked by it any more. */
static int forks_are_over(const struct vector *vector, int node)
{
    for (unsigned i = 0; i < vector->count; i++) {
        const struct move *move = vector->moves[i];

        if (is_on(move, node) && (move->how == SHARE_NONE ||
                                  (move->how == SHARE_FORK && move->phase <= MOVE_STARTED)))
            return 0;
    }
    return 1;
}

/* It may end by that. */
static void member_start(struct vector *vector, unsigned index, share_how how)
{
    struct move *move = vector->moves[index];

    move->how = how;
    vector->given[index] = how == SHARE_IMAGE;
    moves_ops->allow(move);
}

static void member_look(struct vector *vector, unsigned index)
{
    struct move *move = vector->moves[index], *head = head_find(vector, move->node);

    if (move->how == SHARE_NONE && (!head || !vector->forks))
        member_start(vector, index, SHARE_IMAGE);
    else if (move->how == SHARE_NONE && head->phase == MOVE_HELD)
        member_start(vector, index, SHARE_FORK);
    else if (move->phase == MOVE_HELD && forks_are_over(vector, move->node)) {
        move->phase = MOVE_ENTERING;
        moves_ops->enter(move);
    }
}

static void vector_turn(evutil_socket_t fd, short what, void *arg)
{
    struct vector *vector = arg;

    (void)fd;
    (void)what;
    for (unsigned i = 0; i < vector->count; i++) {
        if (!vector->moves[i])
            continue;
        if (vector->image >= 0)
            member_look(vector, i);
        else if (!vector->moves[0])
            move_fail(vector->moves[i], BPROC_IMAGE_LOST, "the process that is like it was lost");
    }
    if (vector->alive == 0)
        vector_free(vector);
}

void vector_leave(struct move *move)
{
    struct vector *vector = move->vector;

    if (!vector)
        return;
    vector->moves[index_of(move)] = NULL;
    vector->alive--;
    move->vector = NULL;
    vector_wake(vector);
}

/* ---- what becomes of its moves ---- */

void vector_image(struct move *move, int image, uint64_t largest)
{
    struct vector *vector = move->vector;

    if (!vector || move->how != SHARE_LEAD || vector->image >= 0) {
        close(image);
        return;
    }
    vector->image = image;
    vector->largest = largest;
    vector_wake(vector);
}

int vector_holds(struct move *move)
{
    if (!move->vector)
        return 0;
    vector_wake(move->vector);
    if (move->how == SHARE_FORK)
        return 0;
    move->phase = MOVE_HELD;
    return 1;
}

int vector_retries(struct move *move)
{
    struct conn *channel = move->channel;

    if (!move->vector || move->how != SHARE_FORK || move->phase != MOVE_STARTED)
        return 0;
    move->channel = NULL;
    if (channel) {
        conn_set_arg(channel, NULL);
        conn_close(channel, "it is tried in another way");
    }
    move->phase = MOVE_ASKING;
    member_start(move->vector, index_of(move), SHARE_IMAGE);
    return 1;
}

/* ---- for the mover ---- */

/* The first of the vector that goes to that node. */
static unsigned first_on(const struct vector *vector, int node)
{
    unsigned i = 0;

    while (vector->nodes[i] != node)
        i++;
    return i;
}

static int is_followed(const struct vector *vector, unsigned index)
{
    for (unsigned i = index + 1; i < vector->count; i++)
        if (first_on(vector, vector->nodes[i]) == i)
            return 1;
    return 0;
}

/* The one before it in the chain, if that has the image. */
static node_place place_before(const struct vector *vector, unsigned index)
{
    const node_place nobody = { .node = PLACE_NONE };

    if (index == 0 || vector->largest < BPROC_SHARE_BYTES ||
        first_on(vector, vector->nodes[index]) != index)
        return nobody;
    do
        index--;
    while (first_on(vector, vector->nodes[index]) != index);
    return vector->moves[index] && vector->given[index] ? vector->places[index] : nobody;
}

static int others_are_on(const struct vector *vector, const struct move *move)
{
    for (unsigned i = 0; i < vector->count; i++)
        if (vector->moves[i] != move && is_on(vector->moves[i], move->node) &&
            vector->moves[i]->how == SHARE_NONE)
            return 1;
    return 0;
}

void vector_place(struct move *move, const node_place *to)
{
    if (move->vector)
        move->vector->places[index_of(move)] = *to;
}

void vector_tell(const struct move *move, vector_share *out)
{
    const struct vector *vector = move->vector;
    unsigned index;

    memset(out, 0, sizeof(*out));
    out->from.node = PLACE_NONE;
    out->rank = move->rank;
    if (!vector)
        return;
    index = index_of(move);
    out->how = move->how;
    out->pid = vector->lead_pid;
    memcpy(out->word, vector->word, sizeof(out->word));
    if (move->how == SHARE_FORK)
        return;
    out->forks = vector->forks && others_are_on(vector, move);
    out->followed = first_on(vector, move->node) == index && is_followed(vector, index);
    out->from = place_before(vector, index);
}

const move_handover_arg *vector_streams(const struct move *move, const int **originals,
                                        unsigned *count)
{
    *originals = move->vector->originals;
    *count = move->vector->noriginals;
    return &move->vector->arg;
}

int vector_folder(const struct move *move)
{
    return move->vector->image;
}

/* ---- its beginning ---- */

/* Takes the gate. 0 or a positive errno. */
static int member_make(struct vector *vector, const struct move *lead, unsigned index, int gate)
{
    const vector_member *who = &vector->arg.others.others_val[index - 1];
    struct move *move = calloc(1, sizeof(*move));

    if (!move) {
        close(gate);
        return ENOMEM;
    }
    move->pidfd = move->dump_pidfd = -1;
    move->client = lead->client;
    move->header = lead->header;
    move->header.serial += index;
    move->kind = lead->kind;
    move->pid = move->dump_pid = move->arg.pid = who->pid;
    move->node = who->node;
    move->flags = who->flags;
    move->rank = who->rank;
    move->started = move_clock();
    move->vector = vector;
    vector->moves[index] = move;
    vector->nodes[index] = who->node;
    vector->alive++;
    LIST_INSERT_HEAD(&moves, move, entry);
    move->gate = gate_open(move, gate);
    return move->gate ? 0 : ENOMEM;
}

static int member_check(struct move *move, const struct caller *caller, char *text, size_t len)
{
    int error = check_task(moves_ops, caller, move, text, len);

    if (!error && move_is_double(move)) {
        snprintf(text, len, "process %d is on its way already", move->pid);
        error = EALREADY;
    }
    return error;
}

/* One that there is not even a move for. */
static void member_refuse(const struct move *lead, unsigned index, const char *text)
{
    struct frame_header header = lead->header;

    header.serial += index;
    conn_refuse(lead->client, &header, ENOMEM, "%s", text);
}

static void streams_take(struct vector *vector, struct move *lead)
{
    vector->arg = lead->arg;
    memset(&lead->arg, 0, sizeof(lead->arg));
    for (unsigned i = 1; i < lead->nfds; i++) {
        vector->originals[vector->noriginals++] = lead->fds[i];
        lead->fds[i] = -1;
    }
}

static struct vector *vector_new(struct move *lead)
{
    struct vector *vector = calloc(1, sizeof(*vector));

    if (!vector)
        return NULL;
    vector->image = -1;
    vector->turn = evtimer_new(moves_base, vector_turn, vector);
    if (!vector->turn || getrandom(vector->word, sizeof(vector->word), 0) < 0) {
        vector_free(vector);
        return NULL;
    }
    vector->count = 1 + lead->arg.others.others_len;
    vector->alive = 1;
    vector->moves[0] = lead;
    vector->nodes[0] = lead->node;
    vector->given[0] = 1;
    vector->lead_pid = lead->dump_pid;
    vector->forks = lead->arg.forks;
    lead->vector = vector;
    lead->how = SHARE_LEAD;
    return vector;
}

int vector_make(struct move *lead, const struct caller *caller)
{
    unsigned others = lead->arg.others.others_len, first = lead->nfds - others;
    struct vector *vector = vector_new(lead);
    int gates[BPROC_MAX_VECTOR];

    if (!vector)
        return ENOMEM;
    for (unsigned i = 0; i < others; i++) {
        gates[i] = lead->fds[first + i];
        lead->fds[first + i] = -1;
    }
    lead->nfds = first;
    streams_take(vector, lead);
    for (unsigned i = 0; i < others; i++) {
        char text[200] = "out of memory";
        int error = member_make(vector, lead, i + 1, gates[i]);

        if (!error)
            error = member_check(vector->moves[i + 1], caller, text, sizeof(text));
        if (error && vector->moves[i + 1])
            move_fail(vector->moves[i + 1], error, "%s", text);
        else if (error)
            member_refuse(lead, i + 1, text);
    }
    return 0;
}
