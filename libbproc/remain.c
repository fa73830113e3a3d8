/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libbproc/remain.h"
#include "proto/msg.h"

int remain_wait(struct remain *remain, int gate, int conn)
{
    struct pollfd fds[2] = { { .fd = gate, .events = POLLIN }, { .fd = conn, .events = POLLIN } };
    struct msg msg;
    int rank;
    int error;

    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR)
            return -errno;
    if (fds[0].revents & POLLIN) {
        remain->verdict = gate_wait(gate, &remain->node, &rank);
        if (remain->verdict == GATE_GHOST || remain->verdict == GATE_END)
            return 0;
    }
    error = msg_recv(conn, &msg);
    if (error)
        return error;
    error = msg.header.status > 0 ? -msg.header.status : -EPROTO;
    msg_free(&msg);
    return error;
}

/* What is pending was meant for the process, wherever it runs. */
static void signals_hand_on(int gate)
{
    static const struct timespec now;
    uint64_t all = ~0ULL;
    siginfo_t info;

    while (syscall(SYS_rt_sigtimedwait, &all, &info, &now, sizeof(all)) > 0) {
        signal_msg msg = { .pid = getpid(), .signo = info.si_signo, .code = info.si_code,
                           .from_pid = info.si_pid, .from_uid = info.si_uid,
                           .value = (intptr_t)info.si_value.sival_ptr };

        /* Of its children it hears where it is. */
        if (info.si_signo != SIGCHLD || info.si_code <= 0)
            msg_send(gate, K_EVENT, P_GHOST_SIGNAL, 0, 0, FRAME_XDR(signal_msg), &msg, NULL, 0);
    }
}

int remain_become(const struct remain *remain, int gate, pid_t parent, char *const argv[])
{
    if (remain->verdict == GATE_GHOST)
        return ghost_exec(gate, parent, remain->node, argv);
    signals_hand_on(gate);
    _exit(0);
}
