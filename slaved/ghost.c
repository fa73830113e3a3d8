/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uthash.h>

#include "common/fd.h"
#include "common/ghostline.h"
#include "common/log.h"
#include "common/trace.h"
#include "moves/move.h"
#include "moves/task.h"
#include "slaved/ghost.h"
#include "slaved/link.h"
#include "slaved/proctable.h"
#include "slaved/space.h"

#define STATUS_NONE (-1)

struct ghost {
    int pid;
    pid_t task;
    int ppid;                   /* of the process whose child it is here */
    struct ghostline line;      /* its conn is NULL: not there yet */
    int exit_status;            /* told to it, or to be told; STATUS_NONE */
    unsigned before_exit;       /* answers to wait for before it is told that */
    int stop_status;            /* its process is stopped; STATUS_NONE */
    group_msg group;            /* its process's; pid 0: as it was */
    struct conn *waiter;        /* a call to be answered when it is there; NULL */
    struct frame_header asked;
    int dismissed;              /* then the entry outlives it, until its parent has reaped it */
    UT_hash_handle hh;
};

static struct ghost *ghosts;

static struct ghost *ghost_find(int pid)
{
    struct ghost *ghost;

    HASH_FIND_INT(ghosts, &pid, ghost);
    return ghost;
}

static void ghost_free(struct ghost *ghost)
{
    HASH_DEL(ghosts, ghost);
    if (ghost->waiter)
        conn_refuse(ghost->waiter, &ghost->asked, ESRCH, "ghost %d has not come", ghost->pid);
    fd_close(&ghost->line.pidfd);
    free(ghost);
}

int ghost_is_known(int pid)
{
    const struct ghost *ghost = ghost_find(pid);

    return ghost && (ghost->line.conn || !ghost->dismissed);
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
    ghost->pid = ghost->line.pid = pid;
    ghost->line.pidfd = -1;
    ghost->exit_status = ghost->stop_status = STATUS_NONE;
    HASH_ADD_INT(ghosts, pid, ghost);
    return 0;
}

void ghost_forget(int pid)
{
    struct ghost *ghost = ghost_find(pid);

    if (ghost && !ghost->line.conn)
        ghost_free(ghost);
}

void ghost_await(int pid, struct conn *conn, const struct frame_header *asked)
{
    struct ghost *ghost = ghost_find(pid);

    if (!ghost || ghost->line.conn) {
        conn_reply(conn, asked, NULL, NULL);
    } else if (ghost->waiter) {
        conn_refuse(conn, asked, EBUSY, "somebody waits for ghost %d", pid);
    } else {
        ghost->waiter = conn;
        ghost->asked = *asked;
    }
}

void ghost_waiter_gone(const struct conn *conn)
{
    struct ghost *ghost, *next;

    HASH_ITER(hh, ghosts, ghost, next)
        if (ghost->waiter == conn)
            ghost->waiter = NULL;
}

/* ---- from the ghost ---- */

static void signal_forward(const signal_msg *msg)
{
    link_event(P_SIGNAL_FROM, FRAME_XDR(signal_msg), msg);
}

/* To a ghost we are outside of its space, which shows as 0. */
static void signal_take(struct ghost *ghost, const struct frame_header *header,
                        const uint8_t *body)
{
    signal_msg msg;

    if (ghostline_take(&ghost->line, header, body, 0, &msg))
        signal_forward(&msg);
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
    if (!child->line.conn)
        ghost_free(child);
}

/* A child that is no ghost, left behind with it by the process that moved. */
static void child_take(struct ghost *ghost, const struct frame_header *header,
                       const uint8_t *body)
{
    struct ghost *child;
    status_msg msg;

    if (conn_decode(status_msg, header, body, &msg) < 0) {
        conn_close(ghost->line.conn, "arguments do not decode");
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
    else if (header->kind == K_EVENT && header->proc == P_GHOST_GOES_ON)
        ghostline_goes_on(&ghost->line);
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
        if (ghost->dismissed && !ghost->line.conn && ghost->ppid == ppid)
            ghost_free(ghost);
}

static void conn_closed(struct conn *conn, const char *reason, void *arg)
{
    struct ghost *ghost = arg;
    signal_msg kill = { .pid = ghost->pid, .signo = SIGKILL };
    pid_msg gone = { .pid = ghost->pid };

    (void)conn;
    log_debug("ghost %d: %s", ghost->pid, reason);
    trace_forget(ghost->task);
    /* Who would reap it is about to be elsewhere. */
    if (ghost->exit_status != STATUS_NONE && move_find(ghost->ppid))
        end_tell(ghost);
    if (ghost->exit_status == STATUS_NONE && !ghost->dismissed)
        signal_forward(&kill);
    if (ghost->exit_status == STATUS_NONE)
        link_event(P_GHOST_GONE, FRAME_XDR(pid_msg), &gone);
    proc_unhold(ghost->pid);
    children_forget(ghost->pid);
    if (ghost->dismissed && (move_find(ghost->ppid) || ghost_find(ghost->ppid)))
        ghost->line.conn = NULL;
    else
        ghost_free(ghost);
}

static const struct conn_ops ghost_ops = { .on_message = conn_message, .on_close = conn_closed };

/* ---- stops, as the kernel shows them ---- */

static void trace_told(int stopped, void *arg)
{
    struct ghost *ghost = arg;
    signal_msg msg = { .pid = ghost->pid, .signo = SIGSTOP };

    if (ghostline_changed(&ghost->line, stopped))
        signal_forward(&msg);
    else if (stopped && ghost->stop_status == STATUS_NONE)
        ghostline_signal(&ghost->line, SIGCONT);    /* the process went on, or ended, meanwhile */
}

/* ---- to the ghost ---- */

static void exit_tell(struct ghost *ghost)
{
    if (ghost->line.conn && ghost->before_exit == 0)
        ghostline_exit(&ghost->line, ghost->exit_status);
}

int ghost_start(int pid, pid_t task, struct conn *conn, int pidfd)
{
    struct ghost *ghost = ghost_find(pid);

    if (!ghost || ghost->line.conn)
        return -ENOENT;
    ghost->line.conn = conn;
    ghost->task = task;
    ghost->ppid = task_number(task_parent(task));
    ghost->line.pidfd = pidfd;
    conn_set_ops(conn, &ghost_ops, ghost);
    if (ghost->waiter)
        conn_reply(ghost->waiter, &ghost->asked, NULL, NULL);
    ghost->waiter = NULL;
    trace_start(task, trace_told, ghost);
    if (ghost->group.pid)
        ghostline_group(&ghost->line, &ghost->group);
    if (ghost->exit_status != STATUS_NONE)
        exit_tell(ghost);
    else if (ghost->stop_status != STATUS_NONE)
        ghostline_stop(&ghost->line, ghost->stop_status);
    return 0;
}

void ghost_end(int pid, int status)
{
    struct ghost *ghost = ghost_find(pid);

    if (!ghost || ghost->dismissed)
        return;
    ghost->exit_status = status;
    ghost->stop_status = STATUS_NONE;
    ghost->before_exit = space_ask((uint32_t)pid);
    exit_tell(ghost);
}

void ghost_goes(uint32_t pid)
{
    struct ghost *ghost = ghost_find((int)pid);

    if (!ghost || ghost->before_exit == 0)
        return;
    ghost->before_exit--;
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
    if (ghost->line.conn)
        ghostline_group(&ghost->line, &ghost->group);
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
    if (!ghost->line.conn)
        return 0;
    if (header->proc == P_GHOST_STOP)
        ghostline_stop(&ghost->line, ghost->stop_status);
    else
        ghostline_cont(&ghost->line, msg.status);
    return 0;
}

void ghost_dismiss(int pid)
{
    struct ghost *ghost = ghost_find(pid);

    if (!ghost || !ghost->line.conn)
        return;
    ghost->dismissed = 1;
    if (ghost->exit_status != STATUS_NONE)
        end_tell(ghost);
    ghostline_signal(&ghost->line, SIGKILL);
}

int ghost_list(ghost_record **list, unsigned *count)
{
    struct ghost *ghost, *next;

    *count = 0;
    *list = calloc(HASH_COUNT(ghosts) + 1, sizeof(**list));
    if (!*list)
        return -ENOMEM;
    HASH_ITER(hh, ghosts, ghost, next)
        if (ghost->line.conn && *count < BPROC_MAX_PROCS)
            (*list)[(*count)++] = (ghost_record){ .pid = ghost->pid,
                                                  .ppid = task_number(task_parent(ghost->task)) };
    return 0;
}
