/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/log.h"
#include "common/trace.h"
#include "masterd/birth.h"
#include "masterd/ghost_impl.h"
#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/nodeghost.h"
#include "masterd/proctable.h"
#include "masterd/rights.h"
#include "moves/task.h"

#define HURRY_SECONDS 5
#define MAX_PENDING 64
#define TRACE_MS 50                 /* the end of a traced one has a way longer by us */

static LIST_HEAD(, ghost) ghosts = LIST_HEAD_INITIALIZER(ghosts);
static struct log_limit ghost_limit;

int ghost_is_alive(pid_t pid)
{
    return task_runs(pid, "bproc-ghost");
}

/* ---- from the ghost ---- */

static void signal_forward(struct ghost *ghost, signal_msg *msg)
{
    if (ghost->proc) {
        link_event(node_at(ghost->node), P_SIGNAL, FRAME_XDR(signal_msg), msg);
        return;
    }
    if (!ghost->pending)
        ghost->pending = calloc(MAX_PENDING, sizeof(*ghost->pending));
    if (ghost->pending && ghost->npending < MAX_PENDING)
        ghost->pending[ghost->npending++] = *msg;
    else
        log_limited(&ghost_limit, 10, "ghost %d: cannot keep signal %d: %u wait for its process",
                    (int)ghost->pid, msg->signo, ghost->npending);
}

static void signal_take(struct ghost *ghost, const struct frame_header *header,
                        const uint8_t *body)
{
    signal_msg msg;

    if (ghostline_take(&ghost->line, header, body, (int)getpid(), &msg))
        signal_forward(ghost, &msg);
}

static void orphan_tell(const struct ghost *ghost)
{
    if (ghost->ppid > 0)
        link_orphan(node_at(ghost->node), (int)ghost->ppid);
}

static void orphan_take(struct ghost *ghost, const struct frame_header *header,
                        const uint8_t *body)
{
    struct task task;
    pid_msg msg;

    if (conn_decode(pid_msg, header, body, &msg) < 0) {
        conn_close(ghost->line.conn, "arguments do not decode");
        return;
    }
    /* The node then takes the parent from all its children, which may be others' processes. */
    if (task_read(ghost->pid, &task) == 0 && task.ppid == ghost->ppid)
        return;
    ghost->orphan = 1;
    if (ghost->proc)
        orphan_tell(ghost);
}

static void forked_take(struct ghost *ghost, const struct frame_header *header,
                        const uint8_t *body)
{
    status_msg msg;

    if (conn_decode(status_msg, header, body, &msg) < 0 || msg.status < 0)
        conn_close(ghost->line.conn, "arguments do not decode");
    else
        birth_forked((int)ghost->pid, msg.pid, msg.status);
}

/* A child that its process left behind here. */
static void child_take(struct ghost *ghost, const struct frame_header *header, const uint8_t *body)
{
    status_msg msg;

    if (conn_decode(status_msg, header, body, &msg) < 0)
        conn_close(ghost->line.conn, "arguments do not decode");
    else
        nodeghosts_changed(msg.pid, msg.status, BPROC_NODE_MASTER, (int)ghost->pid);
}

static void ghost_message(struct conn *conn, const struct frame_header *header,
                          const uint8_t *body, int *fds, void *arg)
{
    struct ghost *ghost = arg;

    (void)fds;
    if (header->kind == K_EVENT && header->proc == P_GHOST_SIGNAL)
        signal_take(ghost, header, body);
    else if (header->kind == K_EVENT && header->proc == P_GHOST_ORPHAN)
        orphan_take(ghost, header, body);
    else if (header->kind == K_EVENT && header->proc == P_GHOST_GOES_ON)
        ghostline_goes_on(&ghost->line);
    else if (header->kind == K_EVENT && header->proc == P_GHOST_FORKED)
        forked_take(ghost, header, body);
    else if (header->kind == K_EVENT && header->proc == P_GHOST_CHILD)
        child_take(ghost, header, body);
    else
        conn_close(conn, "message has no place here");
}

static void ghost_closed(struct conn *conn, const char *reason, void *arg)
{
    struct ghost *ghost = arg;

    (void)conn;
    log_debug("ghost %d: %s", (int)ghost->pid, reason);
    LIST_REMOVE(ghost, entry);
    trace_forget(ghost->pid);
    if (ghost->proc)
        proc_release(ghost->proc);
    birth_parent_gone((int)ghost->pid);
    event_free(ghost->on_deadline);
    event_free(ghost->on_trace);
    fd_close(&ghost->line.pidfd);
    free(ghost->pending);
    free(ghost);
}

static const struct conn_ops ghost_ops = { ghost_message, ghost_closed, NULL };

/* ---- stops, as the kernel shows them ---- */

static void ghost_stopped(struct ghost *ghost, int stopped)
{
    signal_msg msg = { .pid = (int)ghost->pid, .signo = SIGSTOP };

    if (ghostline_changed(&ghost->line, stopped))
        signal_forward(ghost, &msg);
    else if (stopped && !(ghost->proc && proc_is_stopped(ghost->proc)))
        ghostline_signal(&ghost->line, SIGCONT);    /* the process went on, or ended, meanwhile */
}

static void trace_told(int stopped, void *arg)
{
    ghost_stopped(arg, stopped);
}

static void ghost_trace(struct ghost *ghost)
{
    if (ghost->traced)
        return;
    ghost->traced = 1;
    event_del(ghost->on_trace);
    trace_start(ghost->pid, trace_told, ghost);
}

/* One that is to end may have been stopped meanwhile. */
static void trace_due(evutil_socket_t fd, short what, void *arg)
{
    struct ghost *ghost = arg;

    (void)fd;
    (void)what;
    if (ghost->proc && proc_is_over(ghost->proc))
        ghostline_signal(&ghost->line, SIGCONT);
    else
        ghost_trace(ghost);
}

/* ---- to the ghost ---- */

void ghost_tell_exit(struct ghost *ghost, int status)
{
    ghostline_exit(&ghost->line, status);
}

void ghost_tell_stop(struct ghost *ghost, int stopped, int status)
{
    if (stopped) {
        ghost_trace(ghost);
        ghostline_stop(&ghost->line, status);
    } else {
        ghostline_cont(&ghost->line, status);
    }
}

void ghost_tell_group(struct ghost *ghost, const group_msg *group)
{
    ghostline_group(&ghost->line, group);
}

int ghost_tell_fork(struct ghost *ghost, pid_t pid)
{
    pid_msg msg = { .pid = (int)pid };

    return conn_event(ghost->line.conn, P_GHOST_FORK, FRAME_XDR(pid_msg), &msg);
}

struct rights *ghost_rights(const struct ghost *ghost)
{
    return rights_of_task(ghost->pid);
}

int ghost_ppid(const struct ghost *ghost)
{
    return (int)ghost->ppid;
}

int ghost_is_stopped(const struct ghost *ghost)
{
    return ghost->line.stopped;
}

void ghost_move(struct ghost *ghost, int node)
{
    node_arg msg = { .node = node };

    ghost->node = node;
    conn_event(ghost->line.conn, P_GHOST_MOVED, FRAME_XDR(node_arg), &msg);
}

void ghost_kill(struct ghost *ghost)
{
    ghost->proc = NULL;
    ghostline_signal(&ghost->line, SIGKILL);
}

void ghost_detach(struct ghost *ghost)
{
    ghost->proc = NULL;
}

/* ---- beginnings ---- */

static void deadline_passed(evutil_socket_t fd, short what, void *arg)
{
    struct ghost *ghost = arg;

    (void)fd;
    (void)what;
    log_warnx("ghost %d: its process on node %d did not come back", (int)ghost->pid, ghost->node);
    ghost_kill(ghost);
}

struct ghost *ghost_new(struct conn *conn, int pidfd, pid_t pid, pid_t ppid, int node)
{
    struct timeval delay = { 0, TRACE_MS * 1000 };
    struct ghost *ghost = calloc(1, sizeof(*ghost));

    if (!ghost)
        return NULL;
    ghost->on_deadline = event_new(master.base, -1, 0, deadline_passed, ghost);
    ghost->on_trace = event_new(master.base, -1, 0, trace_due, ghost);
    if (!ghost->on_deadline || !ghost->on_trace || event_add(ghost->on_trace, &delay) < 0) {
        if (ghost->on_deadline)
            event_free(ghost->on_deadline);
        if (ghost->on_trace)
            event_free(ghost->on_trace);
        free(ghost);
        return NULL;
    }
    ghost->line.conn = conn;
    ghost->line.pidfd = pidfd;
    ghost->line.pid = (int)pid;
    ghost->pid = pid;
    ghost->ppid = ppid;
    ghost->node = node;
    LIST_INSERT_HEAD(&ghosts, ghost, entry);
    conn_set_ops(conn, &ghost_ops, ghost);
    return ghost;
}

void ghost_join(struct ghost *ghost, struct proc *proc)
{
    ghost->proc = proc;
    event_del(ghost->on_deadline);
    proc_attach(proc, ghost);
    for (unsigned i = 0; i < ghost->npending; i++)
        signal_forward(ghost, &ghost->pending[i]);
    ghost->npending = 0;
    if (ghost->orphan)
        orphan_tell(ghost);
}

/* A process is one ghost at most, on whichever node. */
struct ghost *ghost_of(pid_t pid)
{
    struct ghost *ghost;

    LIST_FOREACH(ghost, &ghosts, entry)
        if (ghost->pid == pid)
            return ghost;
    return NULL;
}

int ghost_start(struct conn *conn, int pidfd, pid_t pid, pid_t ppid, int node)
{
    if (ghost_of(pid))
        return -EEXIST;
    return ghost_new(conn, pidfd, pid, ppid, node) ? 0 : -ENOMEM;
}

void ghost_claim(struct proc *proc, int pid, int node)
{
    struct ghost *ghost = ghost_of(pid);

    if (ghost && ghost->node == node && !ghost->proc)
        ghost_join(ghost, proc);
}

void ghosts_hurry(int node)
{
    struct timeval limit = { HURRY_SECONDS, 0 };
    struct ghost *ghost;

    LIST_FOREACH(ghost, &ghosts, entry)
        if (ghost->node == node && !ghost->proc)
            event_add(ghost->on_deadline, &limit);
}
