/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bproc_rfork(): the child's side; flight.h has the caller's. The child is dumped while it waits at
 * its gate. Two processes come out of that wait: the one on the node returns 0 to its program, the
 * one here becomes the ghost.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/clonable.h"
#include "libbproc/descriptors.h"
#include "libbproc/epolls.h"
#include "libbproc/gatefork.h"
#include "libbproc/lazy.h"
#include "libbproc/rfork.h"
#include "libbproc/twin.h"

#define DUMP_MASK BPROC_DUMP_ALL
#define PERSONALITY_AS_IT_IS 0xffffffff     /* tells, and changes nothing */
#define IO_MASK (BPROC_IO_SEND_INFO | BPROC_IO_STDIN)

void rfork_signals_discard(void)
{
    static const struct timespec now;
    uint64_t all = ~0ULL;

    while (syscall(SYS_rt_sigtimedwait, &all, NULL, &now, sizeof(all)) > 0)
        continue;
}

/* On the node. The directory may be missing there. */
static int settle(const char *cwd, const struct io *io)
{
    if (!cwd || chdir(cwd) < 0)
        (void)!chdir("/");
    return io_files_open(io, 0);
}

void rfork_gate_reach(int gate, int error)
{
    msg_send(gate, K_EVENT, P_GATE_REACHED, 0, -error, NULL, NULL, NULL, 0);
}

/* The next word at the gate that is for it, and not for a child that it is to make. */
static int news_hear(int gate, gate_msg *news)
{
    struct msg msg;
    int error;

    while ((error = msg_recv(gate, &msg)) == 0) {
        int is_fork = msg.header.proc == P_GATE_FORK;

        if (is_fork)
            error = gatefork_take(gate, &msg);
        else
            error = gate_read(&msg, news);
        msg_free(&msg);
        if (error || !is_fork)
            break;
    }
    return error;
}

int rfork_persona(void)
{
    return personality(PERSONALITY_AS_IT_IS);
}

gate_verdict rfork_gate_pass(int gate, const char *cwd, int persona,
                             const struct flight_plan *plan, int *node, int *rank)
{
    gate_verdict verdict;
    gate_msg news;
    int error;

    while (news_hear(gate, &news) == 0) {
        verdict = news.verdict;
        *node = news.node;
        *rank = news.rank;
        error = 0;
        if (verdict == GATE_SETTLE) {
            rfork_signals_discard();
            personality((unsigned)persona);
        }
        if (verdict == GATE_SETTLE && plan->settle)
            error = plan->settle(&news);
        gate_msg_free(&news);
        if (verdict != GATE_SETTLE)
            return verdict;
        if (!error)
            error = settle(cwd, plan->arg);
        rfork_gate_reach(gate, error);
    }
    return GATE_FAIL;
}

/* Its own descriptors, out of the way of those that it is to have. */
static int child_make_way(struct depart *depart, const struct io *io)
{
    int error;

    client_release(depart->conn);
    depart->conn = io_fd_raise(io, depart->conn);
    depart->gate = io_fd_raise(io, depart->gate);
    depart->gate_far = io_fd_raise(io, depart->gate_far);
    depart->keep_far = io_fd_raise(io, depart->keep_far);
    error = depart->conn < 0 || depart->gate < 0 || depart->gate_far < 0 ? -EMFILE : 0;
    for (unsigned i = 0; i < depart->other_count; i++) {
        int *far = &depart->others[i].gate_far;

        *far = io_fd_raise(io, *far);
        error = *far < 0 ? -EMFILE : error;
    }
    return error;
}

/* The library's own descriptors, ended by -1. */
static void skip_fill(const struct depart *depart, int *skip)
{
    const int own[] = { depart->conn, depart->gate, depart->gate_far, depart->keep_far };
    unsigned count = 0;

    for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (own[i] >= 0)
            skip[count++] = own[i];
    for (unsigned i = 0; i < depart->other_count; i++)
        skip[count++] = depart->others[i].gate_far;
    skip[count] = -1;
}

static int child_hand_over(struct depart *depart, const struct io *io)
{
    int skip[4 + BPROC_MAX_VECTOR + 1];
    struct streams *set = malloc(sizeof(*set));
    int error;

    skip_fill(depart, skip);
    error = set ? streams_collect(set, depart->flags, io, 0, skip) : -ENOMEM;
    if (!error)
        error = streams_replace(set, io, skip);
    if (!error)
        error = epolls_renew(set);
    if (!error)
        depart->forks = depart->other_count > 0 && is_clonable(set, io, skip);
    if (!error)
        error = depart_handover(depart, getpid(), set, NULL, 0, -1);
    if (!error)
        streams_free(set);
    free(set);
    return error;
}

/*
 * The child. Returns on the node and does not return here. Its working directory is left before
 * the dump, because an image whose directory does not exist cannot be restored.
 */
static void child_leave(struct depart *depart, const uint64_t *mask,
                        const struct flight_plan *plan)
{
    const struct io *io = plan->arg;
    char *cwd = getcwd(NULL, 0);
    char **argv = NULL;
    twin_fate part = TWIN_NONE;
    int node = -1, persona = rfork_persona();
    int error;

    client_release(depart->gate);
    client_release(depart->gate_far);
    client_release(depart->keep_far);
    for (unsigned i = 0; i < depart->other_count; i++)
        client_release(depart->others[i].gate_far);
    client_forget_all_but(depart->conn);
    error = child_make_way(depart, io);
    if (!error)
        error = child_hand_over(depart, io);
    if (error)
        _exit(-error & 0xff);
    client_close(depart->conn);
    (void)!chdir("/");
    /* Not before: what is still open would be in the image. */
    if (plan->lazy)
        argv = ghost_arguments();
    part = twin_part(depart->gate, plan->lazy, &node);
    if (part == TWIN_NONE)
        rfork_gate_reach(depart->gate, 0);
    /* Its memory is still being read, so that it may not be written to. */
    if (part == TWIN_GHOST)
        ghost_exec(depart->gate, depart->parent, node, argv);
    switch (part == TWIN_GHOST ? GATE_FAIL
                               : rfork_gate_pass(depart->gate, cwd, persona, plan, &node,
                                                 &depart->rank)) {
    case GATE_REMOTE:
        lazy_note(plan->lazy);
        if (argv)
            free(argv[0]);
        free(argv);
        close(depart->gate);
        free(cwd);
        io_files_open(io, 1);
        signals_restore(mask);
        return;
    case GATE_GHOST:
        ghost_exec(depart->gate, depart->parent, node, NULL);
        break;
    default:
        break;
    }
    _exit(CHILD_GAVE_UP);
}

static void child_settle_here(const struct io *io, int *fds)
{
    int keep[2 * BPROC_MAX_IO + 1];
    unsigned count = 0;

    io_place(io, fds);
    if (!io->exact)
        return;
    for (unsigned i = 0; i < io->count; i++)
        keep[count++] = io->items[i].fd;
    keep[count] = -1;
    descriptors_close(keep);
}

/* What its list names is opened before the fork: then a failure leaves no child behind. */
static pid_t child_stay(const struct flight_plan *plan)
{
    const struct io *io = plan->arg;
    int fds[BPROC_MAX_IO];
    int error = io_open(io, fds);
    pid_t pid = error ? error : fork();

    if (pid == 0)
        child_settle_here(io, fds);
    else if (!error && pid < 0)
        pid = -errno;
    if (!error)
        io_close(fds);
    return pid;
}

int rfork_check(int flags)
{
    return flags & ~(DUMP_MASK | IO_MASK) ? -EINVAL : 0;
}

void rfork_plan(struct flight_plan *plan, int node, int flags, const struct io *io)
{
    *plan = (struct flight_plan){ .kind = MOVE_RFORK, .node = node, .flags = flags, .arg = io,
                                  .leave = child_leave, .stay = child_stay };
}

int rfork_run(int node, int flags, const struct io *io)
{
    struct flight_plan plan;

    rfork_plan(&plan, node, flags, io);
    return flight_run(&plan);
}

int _bproc_rfork_io(int node, int flags, int port)
{
    int plain = flags & ~BPROC_RFORK_LAZY;
    struct flight_plan plan;
    struct io io;
    int error = rfork_check(plain);

    if (!error)
        error = io_from_port(&io, port, plain);
    if (error)
        return client_result(error);
    rfork_plan(&plan, node, plain, &io);
    plan.lazy = plain != flags;
    return client_result(flight_run(&plan));
}

int _bproc_rfork(int node, int flags)
{
    return _bproc_rfork_io(node, flags, 0);
}

int bproc_rfork(int node)
{
    const struct io io = { .count = 0 };

    return client_result(rfork_run(node, DEPART_NO_FLAGS, &io));
}
