/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/criuready.h"
#include "migrate/criuworker.h"
#include "migrate/fdpacket.h"

#define START_SECONDS 60        /* for a program to be loaded by a machine that is busy */

int criuworker_order(int orders, const struct criuworker_target *target,
                     struct criuworker *worker)
{
    struct ready_order order = { .target = target->pid, .uid = target->uid, .gid = target->gid,
                                 .pid_ns = target->pids >= 0 };
    int fds[ORDER_FDS] = { [ORDER_MOUNTS] = target->mounts, [ORDER_PIDS] = target->pids };
    int pair[2], error;

    *worker = CRIUWORKER_NONE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    worker->handoff = pair[0];
    fds[ORDER_HANDOFF] = pair[1];
    error = fdpacket_send(orders, &order, sizeof(order), fds,
                          order.pid_ns ? ORDER_FDS : ORDER_PIDS);
    close(pair[1]);
    if (error)
        fd_close(&worker->handoff);
    return error;
}

int criuworker_give(const struct criuworker *worker, const int *fds, unsigned count)
{
    unsigned sent = 0, here;
    char byte = 0;
    int error = 0;

    do {
        here = count - sent < FDPACKET_MAX ? count - sent : FDPACKET_MAX;
        error = fdpacket_send(worker->handoff, &byte, 1, fds + sent, here);
        sent += here;
    } while (!error && here > 0);
    return error;
}

int criuworker_meet(struct criuworker *worker)
{
    const struct timeval patience = { .tv_sec = START_SECONDS };
    int fds[STARTED_FDS], error;
    unsigned count;
    char byte;

    setsockopt(worker->handoff, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    error = fdpacket_recv(worker->handoff, &byte, 1, fds, STARTED_FDS, &count);
    fd_close(&worker->handoff);
    if (error || count != STARTED_FDS) {
        while (count > 0)
            close(fds[--count]);
        return -EIO;
    }
    worker->rpc = fds[STARTED_RPC];
    worker->pidfd = fds[STARTED_PIDFD];
    return 0;
}

void criuworker_end(struct criuworker *worker, int kill)
{
    if (kill && worker->pidfd >= 0)
        syscall(SYS_pidfd_send_signal, worker->pidfd, SIGKILL, NULL, 0);
    fd_close(&worker->handoff);
    fd_close(&worker->rpc);
    fd_close(&worker->pidfd);
}
