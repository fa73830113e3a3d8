/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(proc) ((proc)->pid = 0)
#include <uthash.h>

#include "common/fault.h"
#include "common/log.h"
#include "moves/move.h"
#include "slaved/ghost.h"
#include "slaved/link.h"
#include "slaved/proctable.h"
#include "slaved/seconds.h"
#include "slaved/space.h"
#include "slaved/transfer.h"

struct proc {
    pid_t pid;
    struct transfer *transfer;  /* NULL when it has ended */
    uid_t uid;                  /* with `committed` */
    bool second;                /* in the second space */
    bool is_double;
    bool committed;
    bool exited;
    bool draining;              /* the transfer was told of the end */
    bool drained;
    bool speaks;                /* the transfer carries what it writes */
    bool unheard;               /* it broke off before the end: something may be lost */
    bool reported;              /* over the present link */
    bool detached;              /* its end as told was none; what follows is no news */
    bool acknowledged;          /* detached: the master has forgotten it */
    bool held;                  /* has ended; how, its parent's ghost will say */
    bool killed;                /* the master wants it gone: its output waits for nobody */
    group_msg group;            /* as the process has made it since the launch; pid 0: it has not */
    born_msg *born;             /* NULL: it came here */
    int status;                 /* of the end; before: of a stop not yet told, or 0 */
    UT_hash_handle hh;
};

static struct proc *procs;
static struct proc *doubles;    /* by the same numbers */

static struct proc *proc_find(pid_t pid)
{
    struct proc *proc;

    HASH_FIND_INT(procs, &pid, proc);
    return proc;
}

static struct proc *double_find(pid_t pid)
{
    struct proc *proc;

    HASH_FIND_INT(doubles, &pid, proc);
    return proc;
}

static struct proc *proc_of(pid_t pid, const struct transfer *transfer)
{
    struct proc *proc = double_find(pid);

    if (!proc || proc->transfer != transfer)
        proc = proc_find(pid);
    return proc && proc->transfer == transfer ? proc : NULL;
}

static struct proc *proc_in(pid_t pid, int second)
{
    struct proc *proc = proc_find(pid);

    /* Where the first one is, the double cannot be. */
    if (!proc || proc->second != second || proc->exited)
        proc = double_find(pid) ? double_find(pid) : proc;
    return proc && proc->second == second ? proc : NULL;
}

static void proc_unlist(struct proc *proc)
{
    if (proc->is_double)
        HASH_DEL(doubles, proc);
    else
        HASH_DEL(procs, proc);
}

static void proc_remove(struct proc *proc)
{
    proc_unlist(proc);
    if (proc->born)
        free(proc->born->args.args_val);
    free(proc->born);
    free(proc);
}

static int is_becoming(pid_t pid)
{
    const struct move *move = move_find(pid);

    return move && move->kind == MOVE_UNDUMP;
}

int proc_add(pid_t pid, struct transfer *transfer, int second)
{
    struct proc *proc = proc_find(pid);
    bool is_double = proc != NULL;

    if (proc && (!is_becoming(pid) || !transfer || double_find(pid)))
        return -EEXIST;
    proc = calloc(1, sizeof(*proc));
    if (!proc)
        return -ENOMEM;
    proc->pid = pid;
    proc->transfer = transfer;
    proc->second = second;
    proc->is_double = is_double;
    if (is_double)
        HASH_ADD_INT(doubles, pid, proc);
    else
        HASH_ADD_INT(procs, pid, proc);
    if (proc->pid == 0) {
        free(proc);
        return -ENOMEM;
    }
    return 0;
}

void proc_refused(pid_t pid, const struct transfer *transfer)
{
    struct proc *proc = proc_of(pid, transfer);

    if (proc)
        proc_remove(proc);
}

static void status_report(bproc_proc event, pid_t pid, int status)
{
    status_msg body = { .pid = pid, .status = status };

    link_event(event, FRAME_XDR(status_msg), &body);
}

static void detached_settle(struct proc *proc)
{
    if (!proc->acknowledged && !proc->reported) {
        proc->reported = true;
        status_report(P_EXITED, proc->pid, proc->status);
    }
    if (!proc->exited)
        return;
    if (proc->transfer && !proc->draining) {
        proc->draining = true;
        transfer_drain(proc->transfer);
    }
    if (proc->acknowledged && (!proc->transfer || proc->drained))
        proc_remove(proc);
}

/* Success is not to be told of a process whose words are lost: it was as if its pipe had broken. */
static int status_told(const struct proc *proc)
{
    return proc->unheard && proc->status == 0 ? SIGPIPE : proc->status;
}

/* Does the next thing that is due for an ended process. */
static void proc_settle(struct proc *proc)
{
    bool wait = proc->transfer && !proc->drained && !proc->killed;

    if (proc->detached) {
        detached_settle(proc);
        return;
    }
    if (!proc->exited)
        return;
    if (proc->transfer && !proc->draining) {
        proc->draining = true;
        transfer_drain(proc->transfer);
    }
    if (proc->committed && !proc->is_double && !wait && !proc->reported) {
        FAULT(FAULT_SLAVED_EXITED);
        proc->reported = true;
        status_report(P_EXITED, proc->pid, status_told(proc));
    } else if (!proc->committed && !proc->transfer) {
        /* The master counts it until he hears that it is gone. */
        if (proc->killed)
            status_report(P_EXITED, proc->pid, proc->status);
        proc_remove(proc);
    }
}

void proc_commit(pid_t pid, const struct transfer *transfer, const commit_msg *commit)
{
    struct started_msg started = { .pid = pid, .serial = commit->serial };
    struct proc *proc = proc_of(pid, transfer);

    if (!proc || proc->committed)
        return;
    proc->committed = true;
    proc->speaks = commit->speaks;
    proc->uid = commit->who.uid;
    if (commit->serial)
        link_event(P_STARTED, FRAME_XDR(started_msg), &started);
    if (proc->group.pid)
        link_event(P_GROUP, FRAME_XDR(group_msg), &proc->group);
    if (proc->exited)
        proc_settle(proc);
    else if (proc->status && !proc->is_double)
        status_report(P_STOPPED, pid, proc->status);
}

void proc_drained(pid_t pid, const struct transfer *transfer)
{
    struct proc *proc = proc_of(pid, transfer);

    if (!proc || !proc->draining || proc->drained)
        return;
    proc->drained = true;
    proc_settle(proc);
}

void proc_abandon(pid_t pid, const struct transfer *transfer)
{
    struct proc *proc = proc_of(pid, transfer);

    if (!proc)
        return;
    proc->transfer = NULL;
    if (proc->committed && proc->speaks && !proc->drained && !proc->killed) {
        proc->unheard = true;
        log_warnx("process %d: what carried its output is gone", (int)pid);
    }
    if (!proc->committed && !proc->exited)
        space_kill(pid, proc->second);
    proc_settle(proc);
}

int proc_is_known(pid_t pid)
{
    return proc_find(pid) != NULL;
}

int proc_is_here(pid_t pid, int *counts)
{
    struct proc *proc = proc_find(pid);

    if (!proc || proc->exited)
        return 0;
    *counts = proc->committed;
    return 1;
}

int proc_leave(pid_t pid, struct conn *channel)
{
    struct proc *proc = proc_find(pid);
    struct transfer *transfer = proc ? proc->transfer : NULL;

    if (proc)
        proc_remove(proc);
    if (transfer)
        transfer_continue(transfer, channel);
    return transfer != NULL;
}

int proc_become(pid_t pid, struct conn *channel)
{
    struct proc *proc = double_find(pid);
    int taken;

    /* The master had not been told of who was there before. */
    if (!proc)
        return 0;
    taken = proc_leave(pid, channel);
    HASH_DEL(doubles, proc);
    proc->is_double = false;
    HASH_ADD_INT(procs, pid, proc);
    if (proc->exited)
        proc_settle(proc);
    else if (proc->status)
        status_report(P_STOPPED, pid, proc->status);
    return taken;
}

/* Its transfer may have been told that it counts; what comes from there is no news any more. */
void proc_stay(pid_t pid)
{
    struct proc *proc = double_find(pid);

    if (!proc || !proc->committed)
        return;
    proc->committed = false;
    proc_abandon(pid, proc->transfer);
}

int proc_detach(pid_t pid, int status)
{
    struct proc *proc = proc_find(pid);
    int error = proc ? 0 : proc_add(pid, NULL, seconds_has(pid));

    if (error)
        return error;
    /* One that was made here a moment ago is not known to the master yet. */
    if (!proc) {
        proc = proc_find(pid);
        proc->acknowledged = true;
    }
    proc->committed = true;
    proc->detached = true;
    proc->status = status;
    proc_settle(proc);
    return 0;
}

static void proc_exited(struct proc *proc, int status)
{
    proc->exited = true;
    if (!proc->detached)
        proc->status = status;
    proc_settle(proc);
}

/* The parent reaps it, who is a ghost by now or about to be one: only that knows how it ended. */
static bool proc_is_held(const struct proc *proc)
{
    return proc->born && (ghost_is_known(proc->born->ppid) || move_find(proc->born->ppid));
}

int proc_child_ended(pid_t pid, int status)
{
    struct proc *proc = proc_find(pid);

    if (!proc)
        return 0;
    if (!proc->exited)
        proc_exited(proc, status);
    return 1;
}

void proc_unhold(pid_t ppid)
{
    struct proc *proc, *next;

    HASH_ITER(hh, procs, proc, next)
        if (proc->held && !proc->exited && proc->born->ppid == ppid)
            proc_exited(proc, 0);
}

void proc_status(bproc_proc event, pid_t pid, int status, int second)
{
    struct proc *proc = proc_in(pid, second);

    if (!proc || proc->exited)
        return;
    if (event == P_SPACE_EXITED && proc_is_held(proc))
        proc->held = true;
    else if (event == P_SPACE_EXITED)
        proc_exited(proc, status);
    else if (proc->detached)
        return;
    else if (proc->committed && !proc->is_double)
        status_report(event == P_SPACE_STOPPED ? P_STOPPED : P_CONTINUED, pid, status);
    else
        proc->status = event == P_SPACE_STOPPED ? status : 0;
}

static born_msg *born_copy(const born_msg *born)
{
    born_msg *copy = malloc(sizeof(*copy));
    char *args = malloc(born->args.args_len + 1);

    if (!copy || !args) {
        free(copy);
        free(args);
        return NULL;
    }
    *copy = *born;
    memcpy(args, born->args.args_val, born->args.args_len);
    copy->args.args_val = args;
    return copy;
}

void proc_born(const born_msg *born, int second)
{
    born_msg *copy;
    struct proc *proc;

    /* What another process has left here when it went away. */
    if (ghost_is_known(born->id.pid))
        return;
    proc = proc_find(born->ppid);
    if (proc && proc->detached) {
        proc_detach(born->id.pid, 0);
        return;
    }
    copy = born_copy(born);

    if (!copy || proc_add(born->id.pid, NULL, second) < 0) {
        if (copy)
            free(copy->args.args_val);
        free(copy);
        return;
    }
    proc = proc_find(born->id.pid);
    proc->committed = true;
    proc->born = copy;
    link_event(P_BORN, FRAME_XDR(born_msg), born);
}

void proc_group(const group_msg *group, int second)
{
    struct proc *proc = proc_in(group->pid, second);

    if (!proc || proc->exited || proc->detached)
        return;
    proc->group = *group;
    if (proc->born)
        proc->born->id = *group;
    if (proc->committed)
        link_event(P_GROUP, FRAME_XDR(group_msg), group);
}

/* What has ended and still drains is past all signals; SIGKILL cuts the draining short. */
void proc_signal(const signal_msg *signal)
{
    struct proc *proc = proc_find(signal->pid);

    if (!proc || proc->detached) {
        status_report(P_EXITED, signal->pid, proc ? proc->status : SIGKILL);
        return;
    }
    if (!proc->exited)
        space_signal(signal, proc->second);
    if (signal->signo == SIGKILL && !proc->killed) {
        proc->killed = true;
        proc_settle(proc);
    }
}

void proc_acknowledged(pid_t pid)
{
    struct proc *proc = proc_find(pid);

    if (proc && proc->detached) {
        proc->acknowledged = true;
        proc_settle(proc);
    } else if (proc && proc->exited && proc->committed) {
        proc_remove(proc);
    }
}

int proc_list(launch_done **list, u_int *count)
{
    struct proc *proc, *next;

    *count = 0;
    *list = calloc(HASH_COUNT(procs) + 1, sizeof(**list));
    if (!*list)
        return -ENOMEM;
    HASH_ITER(hh, procs, proc, next)
        if (proc->committed && !proc->born && !proc->acknowledged && *count < BPROC_MAX_PROCS)
            (*list)[(*count)++] = (launch_done){ .pid = proc->pid, .uid = proc->uid };
    return 0;
}

int proc_list_born(int **born, u_int *count)
{
    struct proc *proc, *next;

    *count = 0;
    *born = calloc(HASH_COUNT(procs) + 1, sizeof(**born));
    if (!*born)
        return -ENOMEM;
    HASH_ITER(hh, procs, proc, next)
        if (proc->born && !proc->acknowledged && *count < BPROC_MAX_BORN)
            (*born)[(*count)++] = proc->pid;
    return 0;
}

void proc_report_all(void)
{
    struct proc *proc, *next;

    HASH_ITER(hh, procs, proc, next) {
        if (proc->born && !proc->exited && !proc->detached)
            link_event(P_BORN, FRAME_XDR(born_msg), proc->born);
        proc->reported = false;
        proc_settle(proc);
    }
}

void proc_kill_all(void)
{
    struct proc *proc, *next;

    HASH_ITER(hh, procs, proc, next)
        proc->killed = true;
    space_kill(-1, 0);
}

unsigned proc_count(void)
{
    return HASH_COUNT(procs);
}
