/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "migrate/space/keeper_child.h"
#include "migrate/space/launch.h"
#include "migrate/space/pidfork.h"
#include "migrate/space/reap.h"

#define CHANNEL 3

static void child_report(bproc_proc event, pid_t pid, int status)
{
    status_msg body = { .pid = pid, .status = status };

    msg_send(CHANNEL, K_EVENT, event, 0, 0, FRAME_XDR(status_msg), &body, NULL, 0);
}

static void launch_answer(const struct msg *msg)
{
    struct launch launch = { .pid = 0 };
    int error = launch_start(msg, getpid(), &launch);
    launched_ret ret = { .pid = 0 };

    ret.pid = launch.worker;
    ret.sid = launch.session;
    if (error)
        msg_send(CHANNEL, K_REPLY, msg->header.proc, msg->header.serial, -error, NULL, NULL, NULL,
                 0);
    else
        msg_send(CHANNEL, K_REPLY, msg->header.proc, msg->header.serial, 0,
                 FRAME_XDR(launched_ret), &ret, NULL, 0);
}

/*
 * Another keeper of this session: a child of the one that leads it, as a job is the shell's child.
 * Otherwise its group would be an orphaned one, which the keyboard's stop signals do not stop.
 */
static void sibling_answer(const struct msg *msg)
{
    int error = -EPROTO;
    pid_msg ask;
    pid_t pid;

    if (msg->header.nfds == 1 && frame_decode(FRAME_XDR(pid_msg), msg->body, msg->header.body_len,
                                              &ask, sizeof(ask)) == 0) {
        pid = getsid(0) == getpid() ? pidfork(ask.pid) : pidfork_sibling(ask.pid);
        if (pid == 0)
            keeper_child_run(msg->fds[0], false);
        error = pid < 0 ? pid : 0;
    }
    msg_send(CHANNEL, K_REPLY, msg->header.proc, msg->header.serial, -error, NULL, NULL, NULL, 0);
}

/* What happens to a child after this look is init's to see. */
__attribute__((noreturn))
static void child_leave(void)
{
    reap_all(child_report);
    _exit(0);
}

static void channel_read(void)
{
    struct msg msg;

    if (msg_recv_packet(CHANNEL, &msg) < 0 || msg.header.proc == P_SPACE_ORPHAN)
        child_leave();
    if (msg.header.proc == P_SPACE_KEEPER)
        sibling_answer(&msg);
    else if (msg.header.proc == P_PING)
        msg_send(CHANNEL, K_REPLY, P_PING, msg.header.serial, 0, NULL, NULL, NULL, 0);
    else
        launch_answer(&msg);
    msg_free(&msg);
}

void keeper_child_run(int channel, bool lead)
{
    int from[] = { STDIN_FILENO, STDERR_FILENO, STDERR_FILENO, channel };
    int to[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, CHANNEL };
    struct pollfd polled[2] = { { .fd = CHANNEL, .events = POLLIN }, { .events = POLLIN } };
    struct signalfd_siginfo info;

    prctl(PR_SET_NAME, "bproc-keeper");
    if (lead)
        setsid();
    else
        setpgid(0, 0);
    if (pidfork_place(from, to, 4, NULL, 0) < 0 || close_range(CHANNEL + 1, ~0u, 0) < 0)
        _exit(1);
    polled[1].fd = reap_signals();
    if (polled[1].fd < 0)
        _exit(1);
    for (;;) {
        if (poll(polled, 2, -1) < 0)
            continue;
        if (polled[1].revents)
            while (read(polled[1].fd, &info, sizeof(info)) == sizeof(info))
                ;
        reap_all(child_report);
        if (polled[0].revents)
            channel_read();
    }
}
