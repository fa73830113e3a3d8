/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/bproc.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "masterd/move_check.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int move_check_node(const struct caller *caller, int number, struct node **node, char *text,
                    size_t len)
{
    *node = NULL;
    if (number == BPROC_NODE_MASTER || number == BPROC_NODE_SELF)
        return 0;
    *node = node_find(number);
    if (!*node) {
        snprintf(text, len, "there is no node %d", number);
        return BE_INVALIDNODE;
    }
    if (!(*node)->link) {
        snprintf(text, len, "node %d is not connected", number);
        return BE_NODEDOWN;
    }
    if (caller_may_use(caller, *node) < 0) {
        snprintf(text, len, "node %d does not let uid %u in", number, (unsigned)caller->uid);
        return EPERM;
    }
    return 0;
}

int move_check_flags(int flags, const struct node *node)
{
    if (flags != -1)
        return flags;
    return BPROC_DUMP_EXEC | BPROC_DUMP_OTHER |
           (node && node->state != NODE_UP ? BPROC_DUMP_LIBS : 0);
}

int move_check_task(const struct caller *caller, const move_handover_arg *arg, struct task *task,
                    int *pidfd, char *text, size_t len)
{
    int itself = arg->pid == caller->pid && arg->kind != MOVE_RFORK;
    int error;

    *pidfd = arg->pid > 0 ? (int)syscall(SYS_pidfd_open, arg->pid, 0) : -1;
    error = *pidfd < 0 ? -ESRCH : task_read(arg->pid, task);
    /* With the descriptor open and the process alive after the look, it was no other one's. */
    if (!error && syscall(SYS_pidfd_send_signal, *pidfd, 0, NULL, 0) < 0)
        error = -ESRCH;
    if (error) {
        snprintf(text, len, "cannot look at process %d", arg->pid);
        return -error;
    }
    if (!itself && task->ppid != caller->pid) {
        snprintf(text, len, "process %d is no child of process %d", arg->pid, (int)caller->pid);
        return EPERM;
    }
    if (!task_is_plain(task, caller->uid)) {
        snprintf(text, len, "process %d has other ids or rights than those of uid %u alone",
                 arg->pid, (unsigned)caller->uid);
        return EPERM;
    }
    return 0;
}

static int stream_is_known(const stream_desc *stream)
{
    return stream->kind >= STREAM_PIPE_WRITE && stream->kind <= STREAM_CONNECT;
}

int move_check_streams(const move_handover_arg *arg, const int *fds, unsigned nfds, char *text,
                       size_t len)
{
    unsigned wanted = 1 + (arg->kind != MOVE_RFORK) + (arg->kind == MOVE_EXECMOVE);
    int seals;

    for (unsigned i = 0; i < arg->streams.streams_len; i++) {
        if (!stream_is_known(&arg->streams.streams_val[i])) {
            snprintf(text, len, "unknown kind of stream");
            return EINVAL;
        }
        wanted += arg->streams.streams_val[i].kind != STREAM_CONNECT;
    }
    if (nfds != wanted) {
        snprintf(text, len, "%u descriptors came with the process, not %u", nfds, wanted);
        return EINVAL;
    }
    if (arg->port < 0 || arg->port > 65535) {
        snprintf(text, len, "%d is no port", arg->port);
        return EINVAL;
    }
    seals = arg->kind == MOVE_RFORK ? SEALS : fcntl(fds[1], F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS) {
        snprintf(text, len, "what is to be executed is not in a sealed memory file");
        return EINVAL;
    }
    return 0;
}
