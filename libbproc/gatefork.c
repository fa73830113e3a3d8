/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libbproc/gatefork.h"

/*
 * As libc's fork, which has been here before: the atfork handlers have run, and there is one
 * thread. What libc knows of the kernel's side of it, the thread's number and the list of its
 * robust mutexes, is told to the kernel again.
 */
static pid_t sibling_clone(void)
{
    struct clone_args args = { .flags = CLONE_PARENT };
    int *number = NULL;
    void *robust = NULL;
    size_t len = 0;
    pid_t pid;

    if (prctl(PR_GET_TID_ADDRESS, &number) < 0)
        return -errno;
    if (number) {
        args.flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
        args.child_tid = (uint64_t)(uintptr_t)number;
    }
    syscall(SYS_get_robust_list, 0, &robust, &len);
    pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    if (pid == 0 && robust)
        syscall(SYS_set_robust_list, robust, len);
    return pid < 0 ? -errno : pid;
}

static int descriptor_put(int fd, int target)
{
    int flags = fcntl(target, F_GETFD);
    int cloexec = flags > 0 && (flags & FD_CLOEXEC) ? O_CLOEXEC : 0;

    return dup3(fd, target, cloexec) < 0 ? -errno : 0;
}

/* All targets are open, so that nothing that came is in the place of one. */
static int child_settle(int gate, const struct msg *msg, const fork_msg *ask)
{
    int error = descriptor_put(msg->fds[0], gate);

    for (u_int i = 0; !error && i < ask->targets.targets_len; i++)
        error = descriptor_put(msg->fds[ask->fd_index.fd_index_val[i]],
                               ask->targets.targets_val[i]);
    return error;
}

static int is_good(const struct msg *msg, const fork_msg *ask)
{
    int good = msg->header.nfds > 0 && ask->targets.targets_len == ask->fd_index.fd_index_len;

    for (u_int i = 0; good && i < ask->fd_index.fd_index_len; i++)
        good = ask->fd_index.fd_index_val[i] > 0 &&
               (unsigned)ask->fd_index.fd_index_val[i] < msg->header.nfds;
    return good;
}

/* Numbers are given out in turn: another process may have got the one that was meant. */
static int sibling_make(int gate, const struct msg *msg, const fork_msg *ask)
{
    status_msg made = { .pid = 0 };
    pid_t pid = sibling_clone();

    if (pid == 0)
        return child_settle(gate, msg, ask);
    if (pid > 0 && pid != ask->pid)
        kill(pid, SIGKILL);
    made.pid = pid > 0 ? pid : 0;
    made.status = pid < 0 ? -pid : 0;
    return msg_send(gate, K_EVENT, P_GATE_FORKED, 0, 0, FRAME_XDR(status_msg), &made, NULL, 0);
}

int gatefork_take(int gate, struct msg *msg)
{
    fork_msg ask;
    int error = frame_decode(FRAME_XDR(fork_msg), msg->body, msg->header.body_len, &ask,
                             sizeof(ask));

    if (error)
        return error;
    error = is_good(msg, &ask) ? sibling_make(gate, msg, &ask) : -EPROTO;
    frame_free(FRAME_XDR(fork_msg), &ask, sizeof(ask));
    return error;
}
