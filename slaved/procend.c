/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <signal.h>

#include "common/fault.h"
#include "common/log.h"
#include "slaved/link.h"
#include "slaved/proctable_impl.h"
#include "slaved/seconds.h"
#include "slaved/space.h"
#include "slaved/transfer.h"

void proc_tell(bproc_proc event, pid_t pid, int status)
{
    status_msg body = { .pid = pid, .status = status };

    link_event(event, FRAME_XDR(status_msg), &body);
}

/* Most have had their last word by then, and it was told. */
static void drain_ask(struct proc *proc)
{
    if (!proc->transfer || proc->draining || proc->drained)
        return;
    proc->draining = true;
    transfer_drain(proc->transfer);
}

static void detached_settle(struct proc *proc)
{
    if (!proc->acknowledged && !proc->reported) {
        proc->reported = true;
        proc_tell(P_EXITED, proc->pid, proc->status);
    }
    if (!proc->exited)
        return;
    drain_ask(proc);
    if (proc->acknowledged && (!proc->transfer || proc->drained))
        proc_remove(proc);
}

/* Success is not to be told of a process whose words are lost: it was as if its pipe had broken. */
static int status_told(const struct proc *proc)
{
    return proc->unheard && proc->status == 0 ? SIGPIPE : proc->status;
}

void proc_settle(struct proc *proc)
{
    bool wait = proc->transfer && !proc->drained && !proc->killed;

    if (proc->detached) {
        detached_settle(proc);
        return;
    }
    if (!proc->exited)
        return;
    drain_ask(proc);
    if (proc->committed && !proc->is_double && !wait && !proc->reported) {
        FAULT(FAULT_SLAVED_EXITED);
        proc->reported = true;
        proc_tell(P_EXITED, proc->pid, status_told(proc));
    } else if (!proc->committed && !proc->transfer) {
        /* The master counts it until he hears that it is gone. */
        if (proc->killed)
            proc_tell(P_EXITED, proc->pid, proc->status);
        proc_remove(proc);
    }
}

void proc_commit(pid_t pid, const struct transfer *transfer, const commit_msg *commit)
{
    struct started_msg started = { .pid = pid, .serial = commit->serial };
    struct proc *proc = proc_carried(pid, transfer);

    if (!proc || proc->committed)
        return;
    proc->committed = true;
    proc->speaks = commit->speaks;
    proc->uid = commit->who.uid;
    if (commit->serial)
        link_event(P_STARTED, FRAME_XDR(started_msg), &started);
    proc_tell_doubtful(proc->uid);
    proc_tell_children(proc);
    early_send(&proc->early);
    if (proc->group.pid)
        link_event(P_GROUP, FRAME_XDR(group_msg), &proc->group);
    if (proc->exited)
        proc_settle(proc);
    else if (proc->status && !proc->is_double)
        proc_tell(P_STOPPED, pid, proc->status);
}

void proc_drained(pid_t pid, const struct transfer *transfer)
{
    struct proc *proc = proc_carried(pid, transfer);

    if (!proc || proc->drained)
        return;
    proc->drained = true;
    proc_settle(proc);
}

void proc_abandon(pid_t pid, const struct transfer *transfer)
{
    struct proc *proc = proc_carried(pid, transfer);

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

int proc_detach(pid_t pid, int status)
{
    struct proc *proc = proc_find(pid);
    int error = proc ? 0 : proc_add(pid, 0, NULL, 0, seconds_has(pid));

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

/* What has ended and still drains is past all signals; SIGKILL cuts the draining short. */
void proc_signal(const signal_msg *signal)
{
    struct proc *proc = proc_find(signal->pid);

    if (!proc || proc->detached) {
        proc_tell(P_EXITED, signal->pid, proc ? proc->status : SIGKILL);
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

    if (proc && proc->stale_acks > 0) {
        proc->stale_acks--;
    } else if (proc && proc->detached) {
        proc->acknowledged = true;
        proc_settle(proc);
    } else if (proc && proc->exited && proc->reported) {
        proc_remove(proc);
    }
}
