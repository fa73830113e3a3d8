/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conn.h"
#include "moves/check.h"
#include "moves/gate.h"
#include "moves/vector.h"
#include "moves/vector_impl.h"

/* Takes the gate. 0 or a positive errno. */
static int member_make(struct vector *vector, const struct move *lead, unsigned index, int gate)
{
    const vector_member *who = &vector->arg.others.others_val[index - 1];
    struct move *move = calloc(1, sizeof(*move));

    if (!move) {
        close(gate);
        return ENOMEM;
    }
    move->pidfd = -1;
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

static struct vector *vector_begin(struct move *lead)
{
    struct vector *vector = vector_new(1 + lead->arg.others.others_len);

    if (!vector)
        return NULL;
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
    struct vector *vector = vector_begin(lead);
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
