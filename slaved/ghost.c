/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "common/fd.h"
#include "common/log.h"
#include "common/trace.h"
#include "moves/move.h"
#include "moves/task.h"
#include "slaved/ghost.h"
#include "slaved/link.h"
#include "slaved/proctable.h"

#define STOP_MS 5000            /* for a ghost to stop after it was told to */
#define STATUS_NONE (-1)

struct ghost {
    int pid;
    pid_t task;
    int ppid;                   /* of the process whose child it is here */
    struct conn *conn;          /* NULL: not there yet */
    int pidfd;
    int exit_status;            /* told to it, or to be told; STATUS_NONE */
    int stop_status;            /* its process is stopped; STATUS_NONE */
    int stopped;                /* itself, as the kernel has it */
    int64_t told_stop;          /* until then a stop is taken for the one we told it; 0 */
    group_msg group;            /* its process's; pid 0: as it was */
    int dismissed;              /* then the entry outlives it, until its parent has reaped it */
    UT_hash_handle hh;
};

static struct ghost *ghosts;

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct ghost *ghost_find(int pid)
{
    struct ghost *ghost;

    HASH_FIND_INT(ghosts, &pid, ghost);
    return ghost;
}

static void ghost_free(struct ghost *ghost)
{
    HASH_DEL(ghosts, ghost);
    fd_close(&ghost->pidfd);
    free(ghost);
}

static void ghost_signal(const struct ghost *ghost, int signo)
{
    if (syscall(SYS_pidfd_send_signal, ghost->pidfd, signo, NULL, 0) < 0 && errno != ESRCH)
        log_warn("cannot send signal %d to ghost %d", signo, ghost->pid);
}

int ghost_is_known(int pid)
{
    const struct ghost *ghost = ghost_find(pid);

    return ghost && (ghost->conn || !ghost->dismissed);
}

int ghost_expect(int pid)
{
    struct ghost *ghost = ghost_find(pid);

    if (ghost_is_known(pid))
        return -EEXIST;
    if (ghost)
        ghost_free(ghost);
    ghost = calloc(1, sizeof(*ghost));
    if (!ghost)
        return -ENOMEM;
    ghost->pid = pid;
    ghost->pidfd = -1;
    ghost->exit_status = ghost->stop_status = STATUS_NONE;
    HASH_ADD_INT(ghosts, pid, ghost);
    return 0;
}

void ghost_forget(int pid)
{
    struct ghost *ghost = ghost_find(pid);

    if (ghost && !ghost->conn)
        ghost_free(ghost);
}

/* ---- from the ghost ---- */

static void signal_forward(const struct ghost *ghost, signal_msg *msg)
{
    /* A ghost speaks for its own process only. */
    msg->pid = ghost->pid;
    link_event(P_SIGNAL_FROM, FRAME_XDR(signal_msg), msg);
}

static void signal_take(const struct ghost *ghost, const struct frame_header *header,
                        const uint8_t *body)
{
    signal_msg msg;

    if (conn_decode(signal_msg, header, body, &msg) < 0 || msg.signo <= 0 || msg.signo >= NSIG)
        conn_close(ghost->conn, "arguments do not decode");
    /* We continued the ghost because its process goes on: that is no news to the process. */
    else if (msg.signo != SIGCONT || msg.from_pid != 0)
        signal_forward(ghost, &msg);
}

int ghost_is_needed(pid_t task, pid_t except)
{
    pid_t list[BPROC_MAX_CHILDREN];
    int count = task_children(task, list, BPROC_MAX_CHILDREN);

    if (!task_runs(task_parent(task), "bproc-space"))
        return 1;
    for (int i = 0; i < count && i < BPROC_MAX_CHILDREN; i++)
        if (list[i] != except && !task_runs(list[i], "bproc-ghost"))
            return 1;
    return 0;
}

static void child_reaped(struct ghost *child)
{
    child->ppid = 0;
    if (!child->conn)
        ghost_free(child);
}

/* A child that is no ghost, left behind with it by the process that moved. */
static void child_take(struct ghost *ghost, const struct frame_header *header,
                       const uint8_t *body)
{
    struct ghost *child;
    status_msg msg;

    if (conn_decode(status_msg, header, body, &msg) < 0) {
        conn_close(ghost->conn, "arguments do not decode");
        return;
    }
    /* Stops of what was forked here the space has told. */
    if (WIFSTOPPED(msg.status) || WIFCONTINUED(msg.status)) {
        if (!proc_is_known(msg.pid))
            link_event(P_GHOST_CHILD, FRAME_XDR(status_msg), &msg);
        return;
    }
    child = ghost_find(msg.pid);
    if (child && child->dismissed)
        child_reaped(child);
    else if (!proc_child_ended(msg.pid, msg.status))
        link_event(P_GHOST_CHILD, FRAME_XDR(status_msg), &msg);
    if (!ghost_is_needed(ghost->task, 0))
        ghost_dismiss(ghost->pid);
}

static void conn_message(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                         int *fds, void *arg)
{
    struct ghost *ghost = arg;

    (void)fds;
    if (header->kind == K_EVENT && header->proc == P_GHOST_SIGNAL)
        signal_take(ghost, header, body);
    else if (header->kind == K_EVENT && header->proc == P_GHOST_CHILD)
        child_take(ghost, header, body);
    /* That its parent died the master knows by himself. */
    else if (header->kind != K_EVENT || header->proc != P_GHOST_ORPHAN)
        conn_close(conn, "message has no place here");
}

/* To the ghosts of its process on other nodes. */
static void end_tell(const struct ghost *ghost)
{
    status_msg msg = { .pid = ghost->pid, .status = ghost->exit_status };

    link_event(P_GHOST_CHILD, FRAME_XDR(status_msg), &msg);
}

/* Nobody is left who could say that he has reaped them. */
static void children_forget(int ppid)
{
    struct ghost *ghost, *next;

    HASH_ITER(hh, ghosts, ghost, next)
        if (ghost->dismissed && !ghost->conn && ghost->ppid == ppid)
            ghost_free(ghost);
}

static void conn_closed(struct conn *conn, const char *reason, void *arg)
{
    struct ghost *ghost = arg;
    signal_msg kill = { .signo = SIGKILL };
    pid_msg gone = { .pid = ghost->pid };

    (void)conn;
    log_debug("ghost %d: %s", ghost->pid, reason);
    trace_forget(ghost->task);
    /* Who would reap it is about to be elsewhere. */
    if (ghost->exit_status != STATUS_NONE && move_find(ghost->ppid))
        end_tell(ghost);
    if (ghost->exit_status == STATUS_NONE && !ghost->dismissed)
        signal_forward(ghost, &kill);
    if (ghost->exit_status == STATUS_NONE)
        link_event(P_GHOST_GONE, FRAME_XDR(pid_msg), &gone);
    proc_unhold(ghost->pid);
    children_forget(ghost->pid);
    if (ghost->dismissed && (move_find(ghost->ppid) || ghost_find(ghost->ppid)))
        ghost->conn = NULL;
    else
        ghost_free(ghost);
}

static const struct conn_ops ghost_ops = { .on_message = conn_message, .on_close = conn_closed };

/* ---- stops, as the kernel shows them ---- */

static void trace_told(int stopped, void *arg)
{
    struct ghost *ghost = arg;
    signal_msg msg = { .signo = SIGSTOP };
    int told = ghost->told_stop >= now_ms();

    ghost->stopped = stopped;
    ghost->told_stop = 0;
    if (stopped && !told)
        signal_forward(ghost, &msg);
    else if (stopped && ghost->stop_status == STATUS_NONE)
        ghost_signal(ghost, SIGCONT);   /* the process went on in the meantime */
}

/* ---- to the ghost ---- */

static void status_send(const struct ghost *ghost, bproc_proc proc, int status)
{
    status_msg msg = { .pid = ghost->pid, .status = status };

    conn_event(ghost->conn, proc, FRAME_XDR(status_msg), &msg);
}

static void exit_tell(struct ghost *ghost)
{
    status_send(ghost, P_GHOST_EXIT, ghost->exit_status);
    /* A stopped one could not read that. */
    if (ghost->stopped)
        ghost_signal(ghost, SIGCONT);
}

static void stop_tell(struct ghost *ghost)
{
    if (ghost->stopped)
        return;
    ghost->told_stop = now_ms() + STOP_MS;
    status_send(ghost, P_GHOST_STOP, ghost->stop_status);
}

static void cont_tell(struct ghost *ghost, int status)
{
    status_send(ghost, P_GHOST_CONT, status);
    if (ghost->stopped)
        ghost_signal(ghost, SIGCONT);
}

static void group_tell(const struct ghost *ghost)
{
    conn_event(ghost->conn, P_GHOST_GROUP, FRAME_XDR(group_msg), &ghost->group);
}

int ghost_start(int pid, pid_t task, struct conn *conn, int pidfd)
{
    struct ghost *ghost = ghost_find(pid);

    if (!ghost || ghost->conn)
        return -ENOENT;
    ghost->conn = conn;
    ghost->task = task;
    ghost->ppid = task_number(task_parent(task));
    ghost->pidfd = pidfd;
    conn_set_ops(conn, &ghost_ops, ghost);
    trace_start(task, trace_told, ghost);
    if (ghost->group.pid)
        group_tell(ghost);
    if (ghost->exit_status != STATUS_NONE)
        exit_tell(ghost);
    else if (ghost->stop_status != STATUS_NONE)
        stop_tell(ghost);
    return 0;
}

void ghost_end(int pid, int status)
{
    struct ghost *ghost = ghost_find(pid);

    if (!ghost || ghost->dismissed)
        return;
    ghost->exit_status = status;
    if (ghost->conn)
        exit_tell(ghost);
}

static int group_message(const struct frame_header *header, const uint8_t *body)
{
    struct ghost *ghost;
    group_msg group;

    if (conn_decode(group_msg, header, body, &group) < 0)
        return -EPROTO;
    ghost = ghost_find(group.pid);
    if (!ghost || ghost->dismissed)
        return 0;
    ghost->group = group;
    if (ghost->conn)
        group_tell(ghost);
    return 0;
}

int ghost_message(const struct frame_header *header, const uint8_t *body)
{
    struct ghost *ghost;
    status_msg msg;

    if (header->proc == P_GHOST_GROUP)
        return group_message(header, body);
    if (conn_decode(status_msg, header, body, &msg) < 0)
        return -EPROTO;
    ghost = ghost_find(msg.pid);
    if (!ghost || ghost->dismissed)
        return 0;
    if (header->proc == P_GHOST_EXIT) {
        ghost_end(msg.pid, msg.status);
        return 0;
    }
    ghost->stop_status = header->proc == P_GHOST_STOP ? msg.status : STATUS_NONE;
    if (!ghost->conn)
        return 0;
    if (header->proc == P_GHOST_STOP)
        stop_tell(ghost);
    else
        cont_tell(ghost, msg.status);
    return 0;
}

void ghost_dismiss(int pid)
{
    struct ghost *ghost = ghost_find(pid);

    if (!ghost || !ghost->conn)
        return;
    ghost->dismissed = 1;
    if (ghost->exit_status != STATUS_NONE)
        end_tell(ghost);
    ghost_signal(ghost, SIGKILL);
}

int ghost_list(ghost_record **list, unsigned *count)
{
    struct ghost *ghost, *next;

    *count = 0;
    *list = calloc(HASH_COUNT(ghosts) + 1, sizeof(**list));
    if (!*list)
        return -ENOMEM;
    HASH_ITER(hh, ghosts, ghost, next)
        if (ghost->conn && *count < BPROC_MAX_PROCS)
            (*list)[(*count)++] = (ghost_record){ .pid = ghost->pid,
                                                  .ppid = task_number(task_parent(ghost->task)) };
    return 0;
}
