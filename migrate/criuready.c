/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dlfcn.h>
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
#include "migrate/criuchild.h"
#include "migrate/criuready.h"
#include "migrate/fdpacket.h"

#define FDS_MAX 20000

static enum role { ROLE_NONE, ROLE_WORKER, ROLE_SERVER } role;
static int works;               /* is a worker, or what one has forked */

/* CRIU's own: names this run of it, for the sockets that it makes. */
extern void util_init(void) __attribute__((weak));

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

/* The return from here is the beginning of CRIU's work. */
static void worker_begin(int handoff)
{
    int *fds = malloc((FDS_MAX + 1) * sizeof(*fds));

    if (!fds)
        worker_fail();
    works = 1;
    criuchild_bind();
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
    if (util_init)
        util_init();
    ids_share(order);
    worker_begin(fds[ORDER_HANDOFF]);
}

/* ---- the spare one ---- */

/* One that nobody can start another after is not to be there either. */
static int order_wait(int elder, struct ready_order *order, int *fds, unsigned *count)
{
    struct pollfd polled[2] = { { .fd = READY_SOCKET, .events = POLLIN },
                                { .fd = elder, .events = POLLIN } };
    int ready;

    do
        ready = poll(polled, 2, FAULT_SECONDS(FAULT_BOUND_IDLE, READY_IDLE_SECONDS) * 1000);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0 || polled[1].revents)
        return -ETIMEDOUT;
    return fdpacket_recv(READY_SOCKET, order, sizeof(*order), fds, ORDER_FDS, count);
}

/* Returns when it is a worker. */
static void spare_run(int elder)
{
    struct ready_order order;
    int fds[ORDER_FDS];
    unsigned count;

    prctl(PR_SET_NAME, "bproc-criu-next");
    for (;;) {
        if (order_wait(elder, &order, fds, &count) < 0)
            _exit(0);
        if (count == (order.pid_ns ? ORDER_FDS : ORDER_PIDS))
            break;
        while (count > 0)
            close(fds[--count]);
    }
    if (send(elder, "", 1, MSG_NOSIGNAL) < 0)
        worker_fail();
    close(elder);
    order_carry_out(&order, fds);
}

/* ---- the server ---- */

/*
 * To fork takes time that whoever has sent the order waits for, and a processor that the worker
 * could use: so the next spare one is made when the worker has ended or is not enough.
 */
static int spare_wait(pid_t pid, int spare)
{
    struct pollfd polled[2] = { { .fd = READY_SOCKET, .events = POLLIN },
                                { .events = POLLIN } };
    char byte;

    if (read(spare, &byte, 1) != 1)
        return -ETIMEDOUT;
    polled[1].fd = (int)syscall(SYS_pidfd_open, pid, 0);
    while (poll(polled, polled[1].fd < 0 ? 1 : 2, -1) < 0 && errno == EINTR)
        continue;
    close(polled[1].fd);
    return 0;
}

/* Returns in the workers alone. */
static void server_run(void)
{
    int pair[2];
    pid_t pid;

    signal(SIGCHLD, SIG_IGN);
    prctl(PR_SET_NAME, "bproc-criu");
    for (;;) {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
            _exit(1);
        pid = fork();
        if (pid == 0) {
            close(pair[0]);
            spare_run(pair[1]);
            return;
        }
        close(pair[1]);
        if (pid < 0 || spare_wait(pid, pair[0]) < 0)
            _exit(pid < 0);
        close(pair[0]);
    }
}

/* ---- where CRIU is held back ---- */

/* CRIU may be a script that executes a program in the end; that is the one to be held back. */
__attribute__((constructor))
static void role_take(int argc, char **argv)
{
    const char *env = getenv(READY_ENV);

    if (!env || argc != 3 || strcmp(argv[1], "swrk") != 0)
        return;
    role = strcmp(env, READY_SERVER) == 0 ? ROLE_SERVER : ROLE_WORKER;
    /* What CRIU executes is to be none of this. */
    unsetenv(READY_ENV);
    unsetenv("LD_PRELOAD");
}

/*
 * In place of libc's. The first that CRIU wants to hear is its request, and until it has that it
 * is the same for all of them.
 */
__attribute__((visibility("default")))
ssize_t request_recv(int sock, void *bytes, size_t len, int flags) __asm__("recv");

ssize_t request_recv(int sock, void *bytes, size_t len, int flags)
{
    enum role held = role;

    if (sock == READY_SOCKET && held != ROLE_NONE) {
        role = ROLE_NONE;
        if (held == ROLE_SERVER)
            server_run();
        else
            worker_begin(READY_SOCKET);
    }
    return recvfrom(sock, bytes, len, flags, NULL, NULL);
}

/*
 * In place of libc's, too. CRIU's handler of SIGCHLD calls it. A process that is killed while it is
 * dumped fails the dump, so that may be when exit() is at work and holds libc's lock, for which the
 * second one would wait for ever. CRIU leaves nothing to libc that has to be written. In what is
 * preloaded on the way to it, such as a shell, libc's own does its work.
 */
__attribute__((visibility("default"), noreturn))
void worker_exit(int status) __asm__("exit");

void worker_exit(int status)
{
    union {
        void *symbol;
        void (*call)(int);
    } libc = { .symbol = works ? NULL : dlsym(RTLD_NEXT, "exit") };

    if (libc.symbol)
        libc.call(status);
    _exit(status);
}
