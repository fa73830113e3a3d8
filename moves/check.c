/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fd.h"
#include "moves/check.h"
#include "moves/task.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int stream_is_known(const stream_desc *stream)
{
    return stream->kind >= STREAM_PIPE_WRITE && stream->kind <= STREAM_CONNECT;
}

static int stream_has_port(const stream_desc *stream)
{
    return stream->kind != STREAM_CONNECT || (stream->port > 0 && stream->port <= UINT16_MAX);
}

static int is_socket(int fd, int type)
{
    socklen_t len = sizeof(type);
    int is = 0;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &is, &len) == 0 && is == type;
}

static mode_t file_mode(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 ? st.st_mode : 0;
}

/* Who carries it goes by the kind, and carries other users' streams afterwards. */
static int stream_fits(const stream_desc *stream, int fd)
{
    mode_t mode;

    switch (stream->kind) {
    case STREAM_SOCKET:
        return is_socket(fd, SOCK_STREAM);
    case STREAM_DATAGRAM:
        return is_socket(fd, SOCK_DGRAM);
    case STREAM_SEQPACKET:
        return is_socket(fd, SOCK_SEQPACKET);
    default:
        break;
    }
    mode = file_mode(fd);
    if (S_ISFIFO(mode))
        return stream->kind != STREAM_OUTPUT;
    return stream->kind != STREAM_PIPE_WRITE && (S_ISREG(mode) || S_ISCHR(mode));
}

static int is_exec(move_kind kind)
{
    return kind == MOVE_REXEC || kind == MOVE_EXECMOVE;
}

/* The caller itself waits here for what it will be the ghost of. */
static int is_itself(move_kind kind)
{
    return is_exec(kind) || kind == MOVE_UNDUMP;
}

/* A dump has none, only their places. */
static int streams_fit(const move_handover_arg *arg, const int *fds)
{
    for (unsigned i = 0; arg->kind != MOVE_DUMP && i < arg->streams.streams_len; i++) {
        const stream_desc *stream = &arg->streams.streams_val[i];

        if (stream->kind != STREAM_CONNECT && !stream_fits(stream, *fds++))
            return 0;
    }
    return 1;
}

int check_streams(const move_handover_arg *arg, const int *fds, unsigned nfds, char *text,
                  size_t len)
{
    unsigned first = 1 + (arg->kind != MOVE_RFORK);
    unsigned wanted = first + (arg->kind == MOVE_EXECMOVE);
    int seals;

    for (unsigned i = 0; i < arg->streams.streams_len; i++) {
        if (!stream_is_known(&arg->streams.streams_val[i])) {
            snprintf(text, len, "unknown kind of stream");
            return EINVAL;
        }
        if (!stream_has_port(&arg->streams.streams_val[i])) {
            snprintf(text, len, "%u is no port", arg->streams.streams_val[i].port);
            return EINVAL;
        }
        wanted += arg->streams.streams_val[i].kind != STREAM_CONNECT && arg->kind != MOVE_DUMP;
    }
    if (nfds != wanted) {
        snprintf(text, len, "%u descriptors came with the process, not %u", nfds, wanted);
        return EINVAL;
    }
    if (!streams_fit(arg, fds + first)) {
        snprintf(text, len, "a descriptor is not of its stream's kind");
        return EINVAL;
    }
    seals = is_exec(arg->kind) ? fcntl(fds[1], F_GET_SEALS) : SEALS;
    if (seals < 0 || (seals & SEALS) != SEALS) {
        snprintf(text, len, "what is to be executed is not in a sealed memory file");
        return EINVAL;
    }
    return 0;
}

/* A process and who it is, with *pidfd open, which is the move's. */
static int task_examine(const struct caller *caller, pid_t pid, struct task *task, int *pidfd,
                        char *text, size_t len)
{
    int error;

    *pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    error = *pidfd < 0 ? -ESRCH : task_read(pid, task);
    /* With the descriptor open and the process alive after the look, it was no other one's. */
    if (!error && syscall(SYS_pidfd_send_signal, *pidfd, 0, NULL, 0) < 0)
        error = -ESRCH;
    if (error) {
        snprintf(text, len, "cannot look at process %d", pid);
        return -error;
    }
    if (!task_is_plain(task, caller->uid)) {
        snprintf(text, len, "process %d has other ids or rights than those of uid %u alone",
                 pid, (unsigned)caller->uid);
        return EPERM;
    }
    return 0;
}

/*
 * Whether the process that connected is its user's now, as far as one cheap look tells. Who has
 * executed what changes ids may not be signalled by the user of before; his folder is another's.
 */
static int is_still(const struct caller *caller)
{
    char path[32];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%d", (int)caller->pid);
    return stat(path, &st) == 0 && st.st_uid == caller->uid;
}

/*
 * The parent, by its own number and its user's. A keeper, which is root's, has the user of whom it
 * stands for as its saved one.
 */
static void parent_fill(const struct caller *caller, struct move *move, const struct task *child)
{
    static struct task task;
    pid_t parent = child->ppid;

    move->parent = parent;
    move->ppid = 0;
    move->puid = 0;
    /* The caller's child is no less deep in namespaces than he: neither is in another. */
    if (parent == caller->pid && child->depth == 1 && is_still(caller)) {
        move->ppid = caller->pid;
        move->puid = caller->uid;
        return;
    }
    if (parent <= 0 || task_read(parent, &task) < 0)
        return;
    move->ppid = task.number;
    move->puid = task.uids[0];
    if (task.uids[2] != task.uids[0] && task_runs(parent, "bproc-space"))
        move->puid = task.uids[2];
}

/* Its relatives, by their own numbers for themselves. */
static void identity_fill(const struct caller *caller, struct move *move, const struct task *task)
{
    move->pid = task->number;
    move->pgid = task->pgid;
    move->sid = task->sid;
    parent_fill(caller, move, task);
}

static int credentials_fill(struct move *move, const struct task *task)
{
    move->uid = task->uids[0];
    move->gid = task->gids[0];
    move->ngroups = task->ngroups;
    move->groups = malloc((task->ngroups + 1) * sizeof(*move->groups));
    if (!move->groups)
        return ENOMEM;
    memcpy(move->groups, task->groups, task->ngroups * sizeof(*move->groups));
    return 0;
}

/* All but the copy. They cannot become more: their parent waits for us. */
static int children_fill(struct move *move, char *text, size_t len)
{
    pid_t list[BPROC_MAX_CHILDREN + 1];
    int count = task_children(move->task, list, BPROC_MAX_CHILDREN + 1);

    if (count < 0 || count > BPROC_MAX_CHILDREN + 1) {
        snprintf(text, len, "process %d has %d children", move->pid, count);
        return count < 0 ? -count : EAGAIN;
    }
    move->children = calloc((size_t)count + 1, sizeof(*move->children));
    if (!move->children)
        return ENOMEM;
    for (int i = 0; i < count; i++) {
        pid_t number = list[i] == move->dump_task ? 0 : task_number(list[i]);

        if (number > 0)
            move->children[move->nchildren++] = number;
    }
    return 0;
}

static int mover_examine(const struct caller *caller, struct move *move, char *text, size_t len)
{
    static struct task task;
    int error;

    if (move->task != caller->pid) {
        snprintf(text, len, "process %d is not the caller", move->arg.image_pid);
        return EPERM;
    }
    error = task_examine(caller, move->task, &task, &move->pidfd, text, len);
    if (!error)
        identity_fill(caller, move, &task);
    return error ? error : children_fill(move, text, len);
}

/* The process that is dumped, or that has its program executed elsewhere. */
static int dumped_examine(const struct caller *caller, struct move *move, int *pidfd, char *text,
                          size_t len)
{
    static struct task task;        /* too large for the stack of a callback */
    int itself = move->dump_task == caller->pid && is_itself(move->kind);
    int error = task_examine(caller, move->dump_task, &task, pidfd, text, len);

    if (error)
        return error;
    if (!itself && task.ppid != caller->pid) {
        snprintf(text, len, "process %d is no child of process %d", move->arg.pid,
                 (int)caller->pid);
        return EPERM;
    }
    move->dump_pid = task.number;
    identity_fill(caller, move, &task);
    move->least = task_restraint(move->dump_task, &task);
    return credentials_fill(move, &task);
}

int check_task(const struct move_ops *ops, const struct caller *caller, struct move *move,
               char *text, size_t len)
{
    int error = ops->find(caller, move->arg.pid, &move->dump_task, &move->space, text, len);
    int copy = -1;

    if (move->kind != MOVE_MOVE) {
        move->task = move->dump_task;
        return error ? error : dumped_examine(caller, move, &move->pidfd, text, len);
    }
    if (!error)
        error = ops->find(caller, move->arg.image_pid, &move->task, &move->space, text, len);
    if (!error)
        error = dumped_examine(caller, move, &copy, text, len);
    fd_close(&copy);
    return error ? error : mover_examine(caller, move, text, len);
}
