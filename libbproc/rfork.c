/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bproc_rfork(): the caller's side and the child's.
 *
 * The child is forked here, quietly, and dumped while it waits at its gate. Two processes come out
 * of that wait: the one on the node returns 0 to its program, the one here becomes the ghost. Until
 * then the child is nobody's child: whatever fails, it is taken back without a trace.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/depart.h"
#include "libbproc/epolls.h"
#include "libbproc/guard.h"
#include "libbproc/quietfork.h"

#define ATTEMPTS 10                     /* pids that may turn out to be taken on the node */
#define CHILD_GAVE_UP 127               /* status after the daemon's refusal; below: an errno */
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
static void child_depart(struct depart *depart, const uint64_t *mask)
{
    const int skip[] = { depart->conn, depart->gate, depart->gate_far, -1 };
    struct streams *set = malloc(sizeof(*set));
    char *cwd = getcwd(NULL, 0);
    int node = -1;
    int error = set ? 0 : -ENOMEM;

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

/* A child that ended before it could hand itself over says why by its status. */
static int child_error(int pidfd)
{
    siginfo_t info = { .si_code = 0 };

    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOWAIT | WNOHANG | __WALL) == 0 &&
        info.si_code == CLD_EXITED && info.si_status > 0 && info.si_status < CHILD_GAVE_UP)
        return -info.si_status;
    return -EIO;
}

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

/* Until the daemon's answer is there, 0, or there will be none: -errno. */
static int answer_wait(int conn, pid_t pid)
{
    int pidfd = child_open(pid);
    struct pollfd fds[2] = { { .fd = conn, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
    int error = 0;

    if (pidfd < 0)
        return pidfd;
    while (poll(fds, 2, -1) < 0)
        continue;
    /* A child that runs on may end at once: the daemon's answer came before, so look again. */
    if (!fds[0].revents && poll(fds, 1, 0) <= 0)
        error = child_error(pidfd);
    client_close(pidfd);
    return error;
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

/*
 * The caller. The child's pid, or a negative errno after which no child is left. A child that has
 * become the ghost cannot be taken back any more: it stays, also if only to tell that it died.
 */
static int parent_wait(struct depart *depart, pid_t pid)
{
    struct msg msg;
    int error = answer_wait(depart->conn, pid);

    if (!error)
        error = msg_recv(depart->conn, &msg);
    if (error) {
        /* Without a word of the daemon the child knows best: it has its own at the gate. */
        return quietfork_settle(pid) ? pid : client_error(error);
    }
    error = answer_read(&msg);
    msg_free(&msg);
    if (error)
        return quietfork_undo(pid) ? pid : client_error(error);
    return pid;
}

static int rfork_once(int node, int flags, int port)
{
    struct depart depart;
    uint64_t mask;
    pid_t pid;
    int result = depart_ask(&depart, MOVE_RFORK, node, flags, port);

    if (result)
        return result;
    if (depart.same) {
        depart_close(&depart);
        pid = fork();
        return pid < 0 ? -errno : pid;
    }
    result = depart_gate(&depart);
    signals_block(&mask);
    pid = result ? -1 : quietfork();
    if (pid == 0) {
        child_depart(&depart, &mask);
        return 0;
    }
    if (!result && pid < 0)
        result = -errno;
    /* The caller may be interrupted; if that ends it, the daemon gives the transfer up. */
    signals_restore(&mask);
    if (!result) {
        /* The child alone holds its end, so that its death is seen. */
        client_close(depart.gate);
        client_close(depart.gate_far);
        depart.gate = depart.gate_far = -1;
        result = parent_wait(&depart, pid);
    }
    depart_close(&depart);
    return result;
}

int _bproc_rfork_io(int node, int flags, int port)
{
    int result = -EINVAL;

    if (flags != DEPART_NO_FLAGS && (flags & ~(DUMP_MASK | IO_MASK)))
        return client_result(-EINVAL);
    for (int i = 0; i < ATTEMPTS; i++) {
        result = rfork_once(node, flags, port);
        if (result != -EEXIST)
            break;
    }
    return client_result(result == -EEXIST ? -EAGAIN : result);
}

int _bproc_rfork(int node, int flags)
{
    return _bproc_rfork_io(node, flags, 0);
}

int bproc_rfork(int node)
{
    return _bproc_rfork_io(node, DEPART_NO_FLAGS, 0);
}
