/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libbproc/client.h"
#include "libbproc/guard.h"
#include "libbproc/quietfork.h"
#include "libbproc/vectorfork.h"

#define ATTEMPTS 10                     /* as of a single child, see flight.c */
#define UNDER_WAY 0                     /* in pids */
#define AGAIN 1

struct batch {
    int count;
    int conn;
    int leader;                         /* pidfd of the one that is dumped; -1 */
    int ranks[BPROC_MAX_VECTOR];
    pid_t pids[BPROC_MAX_VECTOR];       /* 0: answered */
    struct depart departs[BPROC_MAX_VECTOR];
    struct depart_other others[BPROC_MAX_VECTOR];
};

struct work {
    int count;
    const int *nodes;
    int *pids;
    const struct flight_plan *plan;
    int rank;                           /* in a child: its own; -1 */
};

/* ---- the children ---- */

/* It keeps its memory alone, which tells what files the others have mapped. */
__attribute__((noreturn))
static void other_wait(struct depart *depart)
{
    int gate = depart->gate, node, rank;

    client_release(gate);
    syscall(SYS_close_range, 0U, (unsigned)gate - 1, 0U);
    syscall(SYS_close_range, (unsigned)gate + 1, ~0U, 0U);
    (void)!chdir("/");
    if (gate_wait(gate, &node, &rank) == GATE_GHOST)
        ghost_exec(gate, depart->parent, node, NULL);
    _exit(CHILD_GAVE_UP);
}

/* Returns on the node. */
static void leader_leave(struct batch *batch, const uint64_t *mask, struct work *work)
{
    struct depart *depart = &batch->departs[0];

    depart->conn = batch->conn;
    for (int i = 1; i < batch->count; i++) {
        const struct depart *other = &batch->departs[i];

        batch->others[i - 1] = (struct depart_other){
            .who = { .pid = batch->pids[i], .node = other->node, .flags = other->flags,
                     .rank = batch->ranks[i] },
            .gate_far = other->gate_far
        };
    }
    depart->rank = batch->ranks[0];
    depart->others = batch->others;
    depart->other_count = (unsigned)batch->count - 1;
    work->plan->leave(depart, mask, work->plan);
    client_forget_all_but(-1);
    work->rank = depart->rank;
}

/* Ranks that have failed leave the batch. */
static void batch_drop(struct batch *batch, int index, struct work *work, int error)
{
    depart_close(&batch->departs[index]);
    work->pids[batch->ranks[index]] = error;
    batch->count--;
    for (int i = index; i < batch->count; i++) {
        batch->ranks[i] = batch->ranks[i + 1];
        batch->pids[i] = batch->pids[i + 1];
        batch->departs[i] = batch->departs[i + 1];
    }
}

static int other_fork(struct depart *depart, pid_t *pid)
{
    int error = depart_gate(depart);

    if (error)
        return error;
    *pid = quietfork();
    if (*pid == 0)
        other_wait(depart);
    return *pid < 0 ? -errno : 0;
}

/* Listed, for no child of another thread can travel with it. */
static int leader_watch(struct batch *batch)
{
    guard_enter();
    batch->leader = (int)syscall(SYS_pidfd_open, batch->pids[0], 0);
    if (batch->leader >= 0 && client_claim(batch->leader) < 0) {
        close(batch->leader);
        batch->leader = -1;
    }
    guard_leave();
    return batch->leader < 0 ? -EAGAIN : 0;
}

/* 0, in a child as well: work->rank tells. -errno: none is left. */
static int batch_fork(struct batch *batch, struct work *work)
{
    uint64_t mask;
    int error;

    signals_block(&mask);
    for (int i = 1; i < batch->count; i++) {
        error = other_fork(&batch->departs[i], &batch->pids[i]);
        if (error)
            batch_drop(batch, i--, work, error);
    }
    error = depart_gate(&batch->departs[0]);
    batch->pids[0] = error ? -1 : quietfork();
    if (batch->pids[0] == 0) {
        leader_leave(batch, &mask, work);
        return 0;
    }
    if (!error && batch->pids[0] < 0)
        error = -errno;
    signals_restore(&mask);
    return error ? error : leader_watch(batch);
}

/* ---- the answers ---- */

static void child_settle(struct batch *batch, int index, struct work *work, int error)
{
    int *result = &work->pids[batch->ranks[index]];
    pid_t pid = batch->pids[index];

    batch->pids[index] = 0;
    if (pid <= 0)
        *result = error;
    else if (!error || quietfork_undo(pid))
        *result = pid;
    else if (error == -BPROC_PID_TAKEN || error == -BPROC_IMAGE_LOST)
        *result = AGAIN;
    else
        *result = client_error(error);
}

static int answer_take(struct batch *batch, struct work *work)
{
    struct msg msg;
    int index, error = msg_recv(batch->conn, &msg);

    if (error)
        return error;
    /* The first child's handover follows what was asked for it, and the others' follow that. */
    index = (int)msg.header.serial - (int)batch->departs[0].serial - 1;
    error = msg.header.kind == K_REPLY && msg.header.proc == P_MOVE_HANDOVER && index >= 0 &&
            index < batch->count && batch->pids[index] > 0 ? 0 : -EPROTO;
    if (!error)
        child_settle(batch, index, work, -msg.header.status);
    msg_free(&msg);
    return error;
}

/* Until the daemon has answered for the first one, its end before that is the end of all. */
static int answers_wait(struct batch *batch, struct work *work)
{
    int error = 0, left = batch->count;

    while (!error && left-- > 0) {
        struct pollfd fds[2] = {
            { .fd = batch->conn, .events = POLLIN },
            { .fd = batch->pids[0] ? batch->leader : -1, .events = POLLIN }
        };

        while (poll(fds, 2, -1) < 0)
            continue;
        if (!fds[0].revents && poll(fds, 1, 0) <= 0)
            error = flight_child_error(batch->leader);
        else
            error = answer_take(batch, work);
    }
    return error;
}

static void batch_close(struct batch *batch)
{
    for (int i = 0; i < batch->count; i++) {
        client_close(batch->departs[i].gate);
        client_close(batch->departs[i].gate_far);
    }
    client_close(batch->conn);
    client_close(batch->leader);
}

/* The children alone hold their ends, so that their deaths are seen. */
static void gates_leave(struct batch *batch)
{
    for (int i = 0; i < batch->count; i++) {
        client_close(batch->departs[i].gate);
        client_close(batch->departs[i].gate_far);
        batch->departs[i].gate = batch->departs[i].gate_far = -1;
    }
}

/* ---- the caller ---- */

/* 0: it is to leave, or (work->rank) this is a child that stays here; or -errno. */
static int rank_ask(struct batch *batch, int rank, struct work *work)
{
    struct depart *depart = &batch->departs[batch->count];
    int node = work->nodes[rank], error = 0, known = 0;

    depart_init(depart, work->plan->kind, node, work->plan->flags);
    depart->parent = getpid();
    while (known < batch->count && work->nodes[batch->ranks[known]] != node)
        known++;
    depart->conn = batch->conn;
    if (known < batch->count) {
        depart->node = batch->departs[known].node;
        depart->flags = batch->departs[known].flags;
    } else {
        error = depart_ask_more(depart);
    }
    depart->conn = -1;
    if (!error && depart->same) {
        work->pids[rank] = work->plan->stay(work->plan);
        if (work->pids[rank] == 0) {
            client_forget_all_but(-1);
            work->rank = rank;
        }
    } else if (!error) {
        batch->pids[batch->count] = 0;
        batch->ranks[batch->count++] = rank;
    }
    return error;
}

/* All that are to be tried, as many as one batch takes. 0 or -errno. */
static int batch_fill(struct batch *batch, struct work *work)
{
    int error = 0;

    batch->count = 0;
    batch->leader = -1;
    batch->conn = client_open();
    if (batch->conn < 0)
        return batch->conn;
    for (int i = 0; i < work->count && work->rank < 0 && batch->count < BPROC_MAX_VECTOR; i++) {
        if (work->pids[i] != AGAIN)
            continue;
        work->pids[i] = UNDER_WAY;
        error = rank_ask(batch, i, work);
        if (error)
            work->pids[i] = error;
    }
    return 0;
}

static void batch_run(struct batch *batch, struct work *work)
{
    int error = batch_fork(batch, work);

    if (work->rank >= 0)
        return;
    gates_leave(batch);
    if (!error)
        error = answers_wait(batch, work);
    /* Whoever has no answer now has none to expect: the daemon takes back what it has begun. */
    for (int i = 0; i < batch->count; i++)
        if (batch->pids[i] != 0)
            child_settle(batch, i, work, error);
}

static int is_left(const struct work *work)
{
    for (int i = 0; i < work->count; i++)
        if (work->pids[i] == AGAIN)
            return 1;
    return 0;
}

static void work_end(struct work *work, int error)
{
    for (int i = 0; i < work->count; i++)
        if (work->pids[i] == AGAIN)
            work->pids[i] = error;
}

int vectorfork_run(int count, const int *nodes, int *pids, const struct flight_plan *plan)
{
    struct work work = { .count = count, .nodes = nodes, .pids = pids, .plan = plan, .rank = -1 };
    int attempts = ATTEMPTS + count / BPROC_MAX_VECTOR, error = 0;
    struct batch *batch = malloc(sizeof(*batch));

    for (int i = 0; i < count; i++)
        pids[i] = AGAIN;
    if (!batch)
        error = -ENOMEM;
    while (!error && is_left(&work) && attempts-- > 0) {
        error = batch_fill(batch, &work);
        if (!error && batch->count > 0 && work.rank < 0)
            batch_run(batch, &work);
        if (work.rank >= 0)
            break;
        if (!error)
            batch_close(batch);
    }
    free(batch);
    if (work.rank >= 0)
        return work.rank;
    work_end(&work, error ? error : -EAGAIN);
    return count;
}
