/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "migrate/space/keeper_child.h"
#include "migrate/space/launch.h"
#include "migrate/space/pidfork.h"
#include "migrate/space/program.h"
#include "migrate/space/reap.h"

#define CHANNEL 3
#define SPAN_MS 100
#define SPAN_SIGNALS 100            /* passed on in one span */

/*
 * The saved user id is all that lets a user signal us: the parent's is here but while we fork, as
 * whoever is launched shall not be open to him before it has its own ids.
 */
static int open_to_root(uid_t *user)
{
    uid_t real, effective;

    return getresuid(&real, &effective, user) < 0 || setresuid(-1U, -1U, 0) < 0 ? -errno : 0;
}

static void launch_answer(const struct msg *msg)
{
    struct launch launch = { .pid = 0 };
    uid_t user;
    int error = open_to_root(&user);
    launched_ret ret = { .pid = 0 };

    if (!error)
        error = launch_start(msg, getpid(), &launch);
    (void)!setresuid(-1U, -1U, error ? user : launch.puid);
    ret.pid = launch.worker;
    ret.sid = launch.session;
    if (error)
        msg_send(CHANNEL, K_REPLY, msg->header.proc, msg->header.serial, -error, NULL, NULL, NULL,
                 0);
    else
        msg_send(CHANNEL, K_REPLY, msg->header.proc, msg->header.serial, 0,
                 FRAME_XDR(launched_ret), &ret, NULL, 0);
    programs_release();
}

/*
 * Another keeper of this session: a child of the one that leads it, as a job is the shell's child.
 * Otherwise its group would be an orphaned one, which the keyboard's stop signals do not stop.
 */
static void sibling_answer(const struct msg *msg)
{
    int error = -EPROTO;
    uid_t user;
    pid_msg ask;
    pid_t pid;

    if (msg->header.nfds == 1 && frame_decode(FRAME_XDR(pid_msg), msg->body, msg->header.body_len,
                                              &ask, sizeof(ask)) == 0 &&
        open_to_root(&user) == 0) {
        pid = getsid(0) == getpid() ? pidfork(ask.pid) : pidfork_sibling(ask.pid);
        if (pid == 0)
            keeper_child_run(msg->fds[0], false);
        error = pid < 0 ? pid : 0;
        (void)!setresuid(-1U, -1U, user);
    }
    msg_send(CHANNEL, K_REPLY, msg->header.proc, msg->header.serial, -error, NULL, NULL, NULL, 0);
}

/* What the kernel, init or somebody outside of the space does to us is nothing to the parent. */
static int is_for_parent(const struct signalfd_siginfo *info)
{
    int code = info->ssi_code;

    return (code == SI_USER || code == SI_QUEUE || code == SI_TKILL) && info->ssi_pid > 1;
}

/*
 * Init and both daemons see each signal that is passed on, and a user can send more than they can
 * bear. What is beyond the measure stays with the kernel, which has a bound for it.
 */
static struct pace {
    int64_t begun;              /* of the span, monotonic milliseconds */
    unsigned count;             /* signals read in it */
} pace;
static int signals;             /* all of them, as they may be for the parent */

/* Milliseconds until signals may be read; 0: now. */
static int pace_wait(void)
{
    struct timespec time;
    int64_t now;

    clock_gettime(CLOCK_MONOTONIC, &time);
    now = (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
    if (now - pace.begun >= SPAN_MS)
        pace = (struct pace){ .begun = now };
    return pace.count < SPAN_SIGNALS ? 0 : (int)(pace.begun + SPAN_MS - now);
}

static void signals_read(void)
{
    struct signalfd_siginfo info;

    while (pace.count < SPAN_SIGNALS && read(signals, &info, sizeof(info)) == sizeof(info)) {
        signal_msg body = { .pid = getpid(), .signo = (int)info.ssi_signo, .code = info.ssi_code,
                            .from_pid = (int)info.ssi_pid, .from_uid = info.ssi_uid,
                            .value = (int64_t)info.ssi_ptr };

        pace.count++;
        if (is_for_parent(&info))
            msg_send(CHANNEL, K_EVENT, P_SPACE_SIGNAL, 0, 0, FRAME_XDR(signal_msg), &body, NULL, 0);
    }
}

/* What a child sent its parent comes before word of its end. */
static void child_report(bproc_proc event, pid_t pid, int status)
{
    status_msg body = { .pid = pid, .status = status };

    signals_read();
    msg_send(CHANNEL, K_EVENT, event, 0, 0, FRAME_XDR(status_msg), &body, NULL, 0);
}

static int signals_open(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
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
    struct pollfd polled[2] = { { .fd = CHANNEL, .events = POLLIN }, { .events = POLLIN } };

    prctl(PR_SET_NAME, "bproc-keeper");
    if (lead)
        setsid();
    else
        setpgid(0, 0);
    if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ||
        (channel != CHANNEL && dup3(channel, CHANNEL, O_CLOEXEC) < 0) ||
        close_range(CHANNEL + 1, ~0u, 0) < 0)
        _exit(1);
    signals = signals_open();
    if (signals < 0)
        _exit(1);
    for (;;) {
        int wait = pace_wait();

        polled[1].fd = wait ? -1 : signals;
        if (poll(polled, 2, wait ? wait : -1) < 0)
            continue;
        if (polled[1].revents)
            signals_read();
        reap_all(child_report);
        programs_tidy();
        if (polled[0].revents)
            channel_read();
    }
}
