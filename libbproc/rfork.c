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
#include <sys/syscall.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/epolls.h"
#include "libbproc/flight.h"

#define DUMP_MASK BPROC_DUMP_ALL
#define IO_MASK (BPROC_IO_SEND_INFO | BPROC_IO_STDIN)

/*
 * What was pending when the child was dumped is the ghost's, which passes it on. It is forgotten on
 * the node before anything can come from there.
 */
static void signals_discard(void)
{
    static const struct timespec now;
    uint64_t all = ~0ULL;

    while (syscall(SYS_rt_sigtimedwait, &all, NULL, &now, sizeof(all)) > 0)
        continue;
}

/* On the node. The directory may be missing there. */
static void arrive(const char *cwd, const uint64_t *mask)
{
    if (!cwd || chdir(cwd) < 0)
        (void)!chdir("/");
    signals_restore(mask);
}

static void gate_reach(int gate)
{
    msg_send(gate, K_EVENT, P_GATE_REACHED, 0, 0, NULL, NULL, NULL, 0);
}

/* What the child is from now on. */
static gate_verdict gate_pass(int gate, int *node)
{
    gate_verdict verdict;
    int rank;

    while ((verdict = gate_wait(gate, node, &rank)) == GATE_SETTLE) {
        signals_discard();
        gate_reach(gate);
    }
    return verdict;
}

/*
 * The child. Returns 0 on the node and does not return here. Its working directory is left before
 * the dump, because an image whose directory does not exist cannot be restored.
 */
static void child_depart(struct depart *depart, const uint64_t *mask,
                         const struct flight_plan *plan)
{
    const int skip[] = { depart->conn, depart->gate, depart->gate_far, -1 };
    struct streams *set = malloc(sizeof(*set));
    char *cwd = getcwd(NULL, 0);
    int node = -1;
    int error = set ? 0 : -ENOMEM;

    (void)plan;
    client_release(depart->gate);
    client_release(depart->gate_far);
    client_forget_all_but(depart->conn);
    if (!error)
        error = streams_collect(set, depart->flags, depart->port, 0, skip);
    if (!error)
        error = streams_replace(set);
    if (!error)
        error = epolls_renew(set);
    if (!error)
        error = depart_handover(depart, getpid(), set, NULL, 0, -1);
    if (error)
        _exit(-error & 0xff);
    streams_free(set);
    free(set);
    client_close(depart->conn);
    (void)!chdir("/");
    /* Not before: what is still open would be in the image. */
    gate_reach(depart->gate);
    switch (gate_pass(depart->gate, &node)) {
    case GATE_REMOTE:
        close(depart->gate);
        arrive(cwd, mask);
        free(cwd);
        return;
    case GATE_GHOST:
        ghost_exec(depart->gate, node, NULL);
        break;
    default:
        break;
    }
    _exit(CHILD_GAVE_UP);
}

static pid_t child_stay(const struct flight_plan *plan)
{
    pid_t pid = fork();

    (void)plan;
    return pid < 0 ? -errno : pid;
}

int _bproc_rfork_io(int node, int flags, int port)
{
    struct flight_plan plan = { .kind = MOVE_RFORK, .node = node, .flags = flags, .port = port,
                                .leave = child_depart, .stay = child_stay };

    if (flags != DEPART_NO_FLAGS && (flags & ~(DUMP_MASK | IO_MASK)))
        return client_result(-EINVAL);
    return client_result(flight_run(&plan));
}

int _bproc_rfork(int node, int flags)
{
    return _bproc_rfork_io(node, flags, 0);
}

int bproc_rfork(int node)
{
    return _bproc_rfork_io(node, DEPART_NO_FLAGS, 0);
}
