/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bproc_vrfork() and bproc_vexecmove(). What leaves the master by a fork has one image for all, see
 * vectorfork.h. Of the rest each child is a flight of its own; they are under way together, a
 * bounded number of them, because each takes a connection to the daemon and a process that sends.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/move.h"
#include "libbproc/node.h"
#include "libbproc/programflight.h"
#include "libbproc/rfork.h"
#include "libbproc/vector.h"
#include "libbproc/vectorfork.h"

#define WINDOW 32                       /* flights at a time */
#define RANK_NAME "BPROC_RANK"
#define RANK_DIGITS 7
#define RANK_ROOM 16

struct vector {
    int count;
    const int *nodes;
    int *pids;                          /* 0: under way */
    /* Fills in how child `rank` flies. */
    void (*plan)(const struct vector *vector, int rank, struct flight_plan *plan);
    int flags;
    const struct io *io;
    struct program *program;            /* of an exec; NULL */
    char *rank_digits;                  /* in its environment; NULL if that has no place for it */
    struct flight flights[WINDOW];
};

static void rank_format(char *text, int rank)
{
    snprintf(text, RANK_ROOM, "%0*d", RANK_DIGITS, rank);
}

/* 1 in the child. */
static int vector_begin(struct vector *vector, int rank)
{
    struct flight *flight = &vector->flights[rank % WINDOW];
    struct flight_plan plan;

    vector->plan(vector, rank, &plan);
    vector->pids[rank] = flight_begin(flight, &plan);
    return vector->pids[rank] == 0 && flight->pid == 0;
}

/* 1 in the child, if it had to be begun anew. */
static int vector_finish(struct vector *vector, int rank)
{
    struct flight *flight = &vector->flights[rank % WINDOW];
    struct flight_plan plan;

    if (vector->pids[rank] != 0)
        return 0;
    vector->plan(vector, rank, &plan);
    vector->pids[rank] = flight_complete(flight, &plan);
    return vector->pids[rank] == 0;
}

/* The rank in a child, the number of children in the parent. */
static int vector_fly(struct vector *vector)
{
    for (int rank = 0; rank < vector->count + WINDOW; rank++) {
        int oldest = rank - WINDOW;

        if (oldest >= 0 && oldest < vector->count && vector_finish(vector, oldest))
            return oldest;
        if (rank < vector->count && vector_begin(vector, rank))
            return rank;
    }
    return vector->count;
}

/* 0, or why nothing can be begun at all. */
static int vector_check(const struct vector *vector, int *self)
{
    if (vector->count < 0)
        return -EINVAL;
    if (vector->count > 0 && (!vector->nodes || !vector->pids))
        return -EFAULT;
    return node_self(self);
}

static void fork_plan(const struct vector *vector, int rank, struct flight_plan *plan)
{
    rfork_plan(plan, vector->nodes[rank], vector->flags, vector->io);
}

/* The image is that of another child. */
static int number_settle(const gate_msg *news)
{
    (void)news;
    move_number_refresh();
    return 0;
}

int vrfork_run(int nnodes, const int *nodes, int *pids, int flags, const struct io *io)
{
    struct vector vector = { .count = nnodes, .nodes = nodes, .pids = pids, .plan = fork_plan,
                             .flags = flags, .io = io };
    char digits[RANK_ROOM];
    struct flight_plan plan;
    int self, error = vector_check(&vector, &self);
    int rank;

    if (error)
        return error;
    rfork_plan(&plan, self, flags, io);
    plan.settle = number_settle;
    rank = self == BPROC_NODE_MASTER ? vectorfork_run(nnodes, nodes, pids, &plan)
                                     : vector_fly(&vector);
    if (rank < nnodes) {
        rank_format(digits, rank);
        setenv(RANK_NAME, digits, 1);
    }
    return rank;
}

static void exec_plan(const struct vector *vector, int rank, struct flight_plan *plan)
{
    char digits[RANK_ROOM];

    rank_format(digits, rank);
    if (vector->rank_digits)
        memcpy(vector->rank_digits, digits, RANK_DIGITS);
    programflight_plan(plan, vector->nodes[rank], vector->flags, vector->program);
}

/*
 * A copy of the vector `envp` in which the rank has a place of its own, *digits, if it has one at
 * all; the strings but that one stay the caller's. NULL: out of memory.
 */
static char **environment_copy(char *const envp[], char **digits)
{
    static const char place[] = RANK_NAME "=XXXXXXX";
    size_t count = 0;
    char **copy;
    char *rank;

    *digits = NULL;
    while (envp && envp[count])
        count++;
    copy = malloc((count + 1) * sizeof(*copy) + sizeof(place));
    if (!copy)
        return NULL;
    rank = (char *)(copy + count + 1);
    for (size_t i = 0; i < count; i++) {
        copy[i] = envp[i];
        if (!*digits && strcmp(envp[i], place) == 0) {
            copy[i] = memcpy(rank, place, sizeof(place));
            *digits = rank + sizeof(place) - 1 - RANK_DIGITS;
        }
    }
    copy[count] = NULL;
    return copy;
}

static int programs_fly(struct vector *vector)
{
    struct program *program = vector->program;
    char **environment = environment_copy(program->envp, &vector->rank_digits);
    int result;

    if (!environment)
        return -ENOMEM;
    program->envp = environment;
    program->exe = program_open(program->cmd);
    result = program->exe < 0 ? program->exe : vector_fly(vector);
    if (program->exe >= 0)
        close(program->exe);
    free(environment);
    return result;
}

int vexecmove_run(int nnodes, const int *nodes, int *pids, int flags, const struct io *io,
                  const char *cmd, char *const argv[], char *const envp[])
{
    struct program program = { .kind = MOVE_EXECMOVE, .cmd = cmd, .argv = argv, .envp = envp,
                               .io = io };
    struct vector vector = { .count = nnodes, .nodes = nodes, .pids = pids, .plan = exec_plan,
                             .flags = flags, .io = io, .program = &program };
    int self, error = cmd && argv ? vector_check(&vector, &self) : -EFAULT;

    return error ? error : programs_fly(&vector);
}

/* ---- the forms with a port ---- */

int _bproc_vrfork_io(int nnodes, int *nodes, int *pids, int flags, int port)
{
    struct io io;
    int error = rfork_check(flags);

    if (!error)
        error = io_from_port(&io, port, flags);
    return client_result(error ? error : vrfork_run(nnodes, nodes, pids, flags, &io));
}

int _bproc_vrfork(int nnodes, int *nodes, int *pids, int flags)
{
    return _bproc_vrfork_io(nnodes, nodes, pids, flags, 0);
}

int bproc_vrfork_io(int nnodes, int *nodes, int *pids, int port)
{
    struct io io;
    int error = io_from_port(&io, port, 0);

    return client_result(error ? error : vrfork_run(nnodes, nodes, pids, DEPART_NO_FLAGS, &io));
}

int bproc_vrfork(int nnodes, int *nodes, int *pids)
{
    return bproc_vrfork_io(nnodes, nodes, pids, 0);
}

int bproc_vexecmove_io(int nnodes, int *nodes, int *pids, int port, const char *cmd,
                       char *const argv[], char *const envp[])
{
    struct io io;
    int error = io_from_port(&io, port, 0);

    return client_result(error ? error : vexecmove_run(nnodes, nodes, pids, 0, &io, cmd, argv,
                                                       envp));
}

int bproc_vexecmove(int nnodes, int *nodes, int *pids, const char *cmd, char *const argv[],
                    char *const envp[])
{
    return bproc_vexecmove_io(nnodes, nodes, pids, 0, cmd, argv, envp);
}
