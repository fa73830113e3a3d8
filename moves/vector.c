/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/conn.h"
#include "common/fault.h"
#include "common/fd.h"
#include "moves/channel.h"
#include "moves/vector.h"
#include "moves/vector_impl.h"

#define PLACE_NONE (-2)
#define HOLD_SECONDS 240                /* receivers wait a little longer */

static void vector_free(struct vector *vector)
{
    if (vector->turn)
        event_free(vector->turn);
    if (vector->hold)
        event_free(vector->hold);
    for (unsigned i = 0; i < vector->noriginals; i++)
        fd_close(&vector->originals[i]);
    fd_close(&vector->image);
    fd_close(&vector->memory);
    free(vector->dump.regions.regions_val);
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

static int is_on_its_way(const struct move *move)
{
    return move && move->phase <= MOVE_STARTED;
}

/* Nobody reads its memory any more. */
static int memory_is_free(const struct vector *vector)
{
    if (vector->memory < 0 || vector->held)
        return 1;
    for (unsigned i = 0; i < vector->count; i++)
        if (is_on_its_way(vector->moves[i]))
            return 0;
    return 1;
}

/* The image is there, or what it lacks is not. */
static int is_lost(const struct vector *vector, unsigned index)
{
    const struct move *move = vector->moves[index];

    return !vector->moves[0] && is_on_its_way(move) && move->how != SHARE_FORK &&
           (vector->image < 0 || vector->memory >= 0);
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
    else if (move->phase == MOVE_HELD && forks_are_over(vector, move->node) &&
             memory_is_free(vector)) {
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
        if (is_lost(vector, i))
            move_fail(vector->moves[i], BPROC_IMAGE_LOST, "the process that is like it was lost");
        else if (vector->image >= 0)
            member_look(vector, i);
    }
    if (vector->alive == 0)
        vector_free(vector);
}

static void hold_ended(evutil_socket_t fd, short what, void *arg)
{
    struct vector *vector = arg;

    (void)fd;
    (void)what;
    vector->held = 1;
    vector_wake(vector);
}

struct vector *vector_new(unsigned count)
{
    struct vector *vector = calloc(1, sizeof(*vector));

    if (!vector)
        return NULL;
    vector->count = count;
    vector->image = vector->memory = -1;
    vector->turn = evtimer_new(moves_base, vector_turn, vector);
    vector->hold = evtimer_new(moves_base, hold_ended, vector);
    if (vector->turn && vector->hold && getrandom(vector->word, sizeof(vector->word), 0) >= 0)
        return vector;
    vector_free(vector);
    return NULL;
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

void vector_image(struct move *move, int image, int memory)
{
    struct vector *vector = move->vector;

    if (!vector || move->how != SHARE_LEAD || vector->image >= 0) {
        close(image);
        fd_close(&memory);
        return;
    }
    vector->image = image;
    vector->memory = memory;
    vector->dump = move->dump;
    move->dump.regions.regions_len = 0;
    move->dump.regions.regions_val = NULL;
    vector_wake(vector);
}

void vector_dump(struct move *move)
{
    const struct vector *vector = move->vector;

    conn_send(move->channel, K_EVENT, P_MOVE_DUMP, 0, 0, FRAME_XDR(dump_arg), &vector->dump,
              &vector->memory, vector->memory >= 0);
}

int vector_holds(struct move *move)
{
    const struct timeval limit = { .tv_sec = FAULT_SECONDS(FAULT_BOUND_HOLD, HOLD_SECONDS) };

    if (!move->vector)
        return 0;
    vector_wake(move->vector);
    if (move->how == SHARE_FORK)
        return 0;
    move->phase = MOVE_HELD;
    if (!evtimer_pending(move->vector->hold, NULL))
        event_add(move->vector->hold, &limit);
    return 1;
}

int vector_retries(struct move *move)
{
    if (!move->vector || move->how != SHARE_FORK || move->phase != MOVE_STARTED)
        return 0;
    channel_leave(move);
    move->phase = MOVE_ASKING;
    vector_wake(move->vector);
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

/* The one before it in the chain, if that gets the memory. */
static node_place place_before(const struct vector *vector, unsigned index)
{
    const node_place nobody = { .node = PLACE_NONE };

    if (index == 0 || vector->memory < 0 ||
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
