/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "moves/move.h"
#include "slaved/ghost.h"
#include "slaved/link.h"
#include "slaved/proctable_impl.h"

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

    HASH_ITER(hh, proctable_all, proc, next)
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
        proc_tell(event == P_SPACE_STOPPED ? P_STOPPED : P_CONTINUED, pid, status);
    else
        proc->status = event == P_SPACE_STOPPED ? status : 0;
}

/* The child that sent it, if it does not count yet; else another such one: it may be a child's. */
static struct proc *child_early(const signal_msg *signal)
{
    struct proc *proc, *next, *found = NULL;

    HASH_ITER(hh, proctable_all, proc, next) {
        if (proc->committed || proc->ppid != signal->pid)
            continue;
        if (proc->pid == signal->from_pid)
            return proc;
        found = proc;
    }
    return found;
}

void proc_signals_parent(const signal_msg *signal)
{
    struct proc *child = child_early(signal);

    if (!child || !early_keep(&child->early, signal))
        link_event(P_SIGNAL_PARENT, FRAME_XDR(signal_msg), signal);
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

/* `parent` is NULL if it is not here: the master may not know whose it is before more counts. */
static void birth_tell(struct proc *proc, const struct proc *parent)
{
    proc->committed = true;
    proc->doubtful = !parent || !parent->committed || parent->doubtful;
    link_event(P_BORN, FRAME_XDR(born_msg), proc->born);
    if (proc->status)
        proc_tell(P_STOPPED, proc->pid, proc->status);
    proc_tell_children(proc);
}

void proc_tell_children(struct proc *parent)
{
    struct proc *proc, *next;

    if (!parent->has_forked)
        return;
    parent->has_forked = false;
    HASH_ITER(hh, proctable_all, proc, next)
        if (proc->born && !proc->committed && proc->born->ppid == parent->pid)
            birth_tell(proc, parent);
}

void proc_tell_doubtful(uid_t uid)
{
    struct proc *proc, *next;

    HASH_ITER(hh, proctable_all, proc, next) {
        if (!proc->doubtful || proc->exited || proc->detached)
            continue;
        if (uid != 0 && proc->born->uid != uid)
            continue;
        proc->doubtful = false;
        link_event(P_BORN, FRAME_XDR(born_msg), proc->born);
    }
}

void proc_born(const born_msg *born, int second)
{
    born_msg *copy;
    struct proc *proc, *parent;

    /* What another process has left here when it went away. */
    if (ghost_is_known(born->id.pid))
        return;
    parent = proc_find(born->ppid);
    if (parent && parent->detached) {
        proc_detach(born->id.pid, 0);
        return;
    }
    copy = born_copy(born);

    if (!copy || proc_add(born->id.pid, 0, NULL, 0, second) < 0) {
        if (copy)
            free(copy->args.args_val);
        free(copy);
        return;
    }
    proc = proc_find(born->id.pid);
    proc->born = copy;
    /* Of a parent that is nobody's the master would not believe it. */
    if (parent && !parent->committed)
        parent->has_forked = true;
    else
        birth_tell(proc, parent);
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
