/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libbproc/client.h"
#include "libbproc/flight.h"
#include "libbproc/guard.h"
#include "libbproc/lazy.h"
#include "libbproc/quietfork.h"

#define ATTEMPTS 10                     /* pids that may turn out to be taken on the node */

/* Listed, for no child of another thread can travel with it. */
static int child_open(pid_t pid)
{
    int pidfd, error;

    guard_enter();
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    error = pidfd < 0 ? -errno : client_claim(pidfd);
    guard_leave();
    if (error && pidfd >= 0)
        close(pidfd);
    return error ? error : pidfd;
}

static void flight_close(struct flight *flight)
{
    depart_close(&flight->depart);
    client_close(flight->pidfd);
    flight->pidfd = -1;
}

/* The child, when it is where it was to go: what its parent's other flights hold is not its own. */
static int child_arrived(struct flight *flight)
{
    client_forget_all_but(-1);
    flight->pid = 0;
    flight->pidfd = -1;
    return 0;
}

static int child_stays(struct flight *flight, const struct flight_plan *plan)
{
    depart_close(&flight->depart);
    flight->pid = plan->stay(plan);
    if (flight->pid == 0)
        return child_arrived(flight);
    return flight->pid < 0 ? flight->pid : 0;
}

static int child_leaves(struct flight *flight, const struct flight_plan *plan)
{
    uint64_t mask;
    int error = depart_gate(&flight->depart);

    lazy_complete();
    signals_block(&mask);
    flight->pid = error ? -1 : quietfork();
    if (flight->pid == 0) {
        plan->leave(&flight->depart, &mask, plan);
        return child_arrived(flight);
    }
    if (!error && flight->pid < 0)
        error = -errno;
    /* The caller may be interrupted; if that ends it, the daemon gives the transfer up. */
    signals_restore(&mask);
    if (!error) {
        flight->pidfd = child_open(flight->pid);
        error = flight->pidfd < 0 ? flight->pidfd : 0;
        if (error)
            quietfork_undo(flight->pid);
    }
    return error;
}

int flight_begin(struct flight *flight, const struct flight_plan *plan)
{
    struct depart *depart = &flight->depart;
    int error = depart_ask(depart, plan->kind, plan->node, plan->flags);

    flight->pid = flight->pidfd = -1;
    if (error)
        return error;
    depart->parent = getpid();
    if (depart->same)
        return child_stays(flight, plan);
    error = child_leaves(flight, plan);
    if (error) {
        flight_close(flight);
    } else if (flight->pid > 0) {
        /* The child alone holds its end, so that its death is seen. */
        client_close(depart->gate);
        client_close(depart->gate_far);
        depart->gate = depart->gate_far = -1;
    }
    return error;
}

int flight_child_error(int pidfd)
{
    siginfo_t info = { .si_code = 0 };

    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOWAIT | WNOHANG | __WALL) == 0 &&
        info.si_code == CLD_EXITED && info.si_status > 0 && info.si_status < CHILD_GAVE_UP)
        return -info.si_status;
    return -EIO;
}

/* Until the daemon's answer is there, 0, or there will be none: -errno. */
static int answer_wait(const struct flight *flight)
{
    struct pollfd fds[2] = { { .fd = flight->depart.conn, .events = POLLIN },
                             { .fd = flight->pidfd, .events = POLLIN } };

    while (poll(fds, 2, -1) < 0)
        continue;
    /* A child that runs on may end at once: the daemon's answer came before, so look again. */
    if (!fds[0].revents && poll(fds, 1, 0) <= 0)
        return flight_child_error(flight->pidfd);
    return 0;
}

/* The daemon's answer: 0, or the errno it gives as a negative one. */
static int answer_read(const struct msg *msg)
{
    move_done_ret done;

    if (msg->header.kind != K_REPLY || msg->header.proc != P_MOVE_HANDOVER ||
        msg->header.status < 0)
        return -EPROTO;
    if (msg->header.status > 0)
        return -msg->header.status;
    return frame_decode(FRAME_XDR(move_done_ret), msg->body, msg->header.body_len, &done,
                        sizeof(done));
}

/* A child that is the ghost by now cannot be taken back: it stays, if only to tell that it died. */
static pid_t answer_take(struct flight *flight)
{
    pid_t pid = flight->pid;
    struct msg msg;
    int error = answer_wait(flight);

    if (!error)
        error = msg_recv(flight->depart.conn, &msg);
    /* Without a word of the daemon the child knows best: it has its own at the gate. */
    if (error)
        return quietfork_settle(pid) ? pid : client_error(error);
    error = answer_read(&msg);
    msg_free(&msg);
    if (error)
        return quietfork_undo(pid) ? pid : client_error(error);
    return pid;
}

pid_t flight_finish(struct flight *flight)
{
    pid_t result;

    if (flight->depart.same)
        return flight->pid;
    result = answer_take(flight);
    flight_close(flight);
    return result;
}

pid_t flight_complete(struct flight *flight, const struct flight_plan *plan)
{
    pid_t result = flight_finish(flight);

    for (int i = 1; result == -BPROC_PID_TAKEN && i < ATTEMPTS; i++) {
        result = flight_begin(flight, plan);
        if (!result && flight->pid > 0)
            result = flight_finish(flight);
    }
    return result == -BPROC_PID_TAKEN ? -EAGAIN : result;
}

pid_t flight_run(const struct flight_plan *plan)
{
    struct flight flight;
    int error = flight_begin(&flight, plan);

    return error || flight.pid == 0 ? error : flight_complete(&flight, plan);
}
