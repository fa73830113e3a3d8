/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fault.h"
#include "migrate/criu.h"
#include "migrate/criuready.h"
#include "migrate/fdpacket.h"

#define FDS_MAX 20000

/* ---- the worker ---- */

/* Any failure here is the end of the hand-off socket to whoever waits at its other end. */
__attribute__((noreturn))
static void worker_fail(void)
{
    _exit(127);
}

/*
 * CRIU looks descriptors up in the process that made its socket, which has to be one that it can
 * see: itself, as whoever asks may be in another pid namespace.
 */
static int rpc_open(int handoff)
{
    int rpc[2], fds[STARTED_FDS];
    char byte = 0;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, rpc) < 0)
        worker_fail();
    fds[STARTED_RPC] = rpc[0];
    fds[STARTED_PIDFD] = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (fds[STARTED_PIDFD] < 0 || fdpacket_send(handoff, &byte, 1, fds, STARTED_FDS) < 0)
        worker_fail();
    close(rpc[0]);
    close(fds[STARTED_PIDFD]);
    return rpc[1];
}

static unsigned fds_take(int handoff, int *fds)
{
    unsigned total = 0, count;
    char byte;

    do {
        if (fdpacket_recv(handoff, &byte, 1, fds + total, FDS_MAX - total, &count) < 0)
            worker_fail();
        total += count;
    } while (count > 0);
    return total;
}

/* First above all numbers that are wanted, where nothing can be overwritten by a dup2(). */
static void fds_place(int *fds, unsigned count)
{
    int end = CRIU_FD_RPC + (int)count;

    for (unsigned i = 0; i < count; i++) {
        int moved = fcntl(fds[i], F_DUPFD_CLOEXEC, end);

        if (moved < 0)
            worker_fail();
        if (fds[i] >= end)
            close(fds[i]);
        fds[i] = moved;
    }
    for (unsigned i = 0; i < count; i++)
        if (dup2(fds[i], CRIU_FD_RPC + (int)i) < 0)
            worker_fail();
    close_range((unsigned)end, ~0U, 0);
}

/* The return from here is the beginning of CRIU. */
static void worker_begin(int handoff)
{
    int *fds = malloc((FDS_MAX + 1) * sizeof(*fds));

    if (!fds)
        worker_fail();
    fds[0] = rpc_open(handoff);
    fds_place(fds, 1 + fds_take(handoff, fds + 1));
    free(fds);
}

/* ---- the server ---- */

/*
 * Without CAP_SYS_RESOURCE, as in many containers, even root may read the limits of a process only
 * when his real ids are those of its owner. The effective ones stay root's. Only where it is
 * needed: the packet filter library in CRIU ends a program that looks set-uid to it.
 */
static void ids_share(const struct ready_order *order)
{
    struct rlimit limit;

    if (prlimit(order->target, RLIMIT_NOFILE, NULL, &limit) == 0 || errno != EPERM)
        return;
    if (setresgid(order->gid, (gid_t)-1, (gid_t)-1) < 0 ||
        setresuid(order->uid, (uid_t)-1, (uid_t)-1) < 0)
        worker_fail();
}

/* Only children come to be in another pid namespace; this process waits for that one. */
static void pid_ns_enter(int ns)
{
    pid_t pid;

    if (setns(ns, CLONE_NEWPID) < 0)
        worker_fail();
    pid = fork();
    if (pid == 0)
        return;
    close_range(0, ~0U, 0);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    _exit(0);
}

static void order_carry_out(const struct ready_order *order, const int *fds)
{
    signal(SIGCHLD, SIG_DFL);
    prctl(PR_SET_NAME, "criu");
    if (setns(fds[ORDER_MOUNTS], CLONE_NEWNS) < 0)
        worker_fail();
    if (order->pid_ns)
        pid_ns_enter(fds[ORDER_PIDS]);
    ids_share(order);
    worker_begin(fds[ORDER_HANDOFF]);
}

static int order_wait(struct ready_order *order, int *fds, unsigned *count)
{
    struct pollfd polled = { .fd = READY_SOCKET, .events = POLLIN };
    int ready;

    do
        ready = poll(&polled, 1, FAULT_SECONDS(FAULT_BOUND_IDLE, READY_IDLE_SECONDS) * 1000);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return -ETIMEDOUT;
    return fdpacket_recv(READY_SOCKET, order, sizeof(*order), fds, ORDER_FDS, count);
}

/* Returns in the workers alone. */
static void server_run(void)
{
    struct ready_order order;
    int fds[ORDER_FDS];
    unsigned count;

    signal(SIGCHLD, SIG_IGN);
    prctl(PR_SET_NAME, "bproc-criu");
    for (;;) {
        if (order_wait(&order, fds, &count) < 0)
            _exit(0);
        if (count == (order.pid_ns ? ORDER_FDS : ORDER_PIDS) && fork() == 0) {
            order_carry_out(&order, fds);
            return;
        }
        while (count > 0)
            close(fds[--count]);
    }
}

/* CRIU may be a script that executes a program in the end; that is the one to be held back. */
__attribute__((constructor))
static void ready(int argc, char **argv)
{
    const char *env = getenv(READY_ENV);
    int serves = env && strcmp(env, READY_SERVER) == 0;

    if (!env || argc != 3 || strcmp(argv[1], "swrk") != 0)
        return;
    /* What CRIU executes is to be none of this. */
    unsetenv(READY_ENV);
    unsetenv("LD_PRELOAD");
    if (serves)
        server_run();
    else
        worker_begin(READY_SOCKET);
}
