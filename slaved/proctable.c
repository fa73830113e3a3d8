/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "moves/move.h"
#include "slaved/link.h"
#include "slaved/proctable_impl.h"
#include "slaved/space.h"
#include "slaved/transfer.h"

struct proc *proctable_all;
static struct proc *doubles;    /* by the same numbers */

struct proc *proc_find(pid_t pid)
{
    struct proc *proc;

    HASH_FIND_INT(proctable_all, &pid, proc);
    return proc;
}

struct proc *proc_double(pid_t pid)
{
    struct proc *proc;

    HASH_FIND_INT(doubles, &pid, proc);
    return proc;
}

struct proc *proc_carried(pid_t pid, const struct transfer *transfer)
{
    struct proc *proc = proc_double(pid);

    if (!proc || proc->transfer != transfer)
        proc = proc_find(pid);
    return proc && proc->transfer == transfer ? proc : NULL;
}

struct proc *proc_in(pid_t pid, int second)
{
    struct proc *proc = proc_find(pid);

    /* Where the first one is, the double cannot be. */
    if (!proc || proc->second != second || proc->exited)
        proc = proc_double(pid) ? proc_double(pid) : proc;
    return proc && proc->second == second ? proc : NULL;
}

static void proc_unlist(struct proc *proc)
{
    if (proc->is_double)
        HASH_DEL(doubles, proc);
    else
        HASH_DEL(proctable_all, proc);
}

void proc_remove(struct proc *proc)
{
    proc_unlist(proc);
    early_send(&proc->early);
    proc_tell_children(proc);
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

/* Who launches another one of its number has had its end; only the word for that is to come. */
static bool is_let_go(const struct proc *proc)
{
    return proc->exited && proc->reported && !proc->detached && !is_becoming(proc->pid) &&
           !proc_double(proc->pid);
}

int proc_add(pid_t pid, pid_t ppid, struct transfer *transfer, uint32_t launch, int second)
{
    struct proc *proc, *old = proc_find(pid);
    bool is_next = old && transfer && is_let_go(old);
    bool is_double = old && !is_next;

    if (is_double && (!is_becoming(pid) || !transfer || proc_double(pid)))
        return -EEXIST;
    proc = calloc(1, sizeof(*proc));
    if (!proc)
        return -ENOMEM;
    if (is_next) {
        proc->stale_acks = old->stale_acks + 1;
        proc_remove(old);
    }
    proc->pid = pid;
    proc->ppid = ppid;
    proc->transfer = transfer;
    proc->launch = launch;
    proc->second = second;
    proc->is_double = is_double;
    if (is_double)
        HASH_ADD_INT(doubles, pid, proc);
    else
        HASH_ADD_INT(proctable_all, pid, proc);
    if (proc->pid == 0) {
        free(proc);
        return -ENOMEM;
    }
    return 0;
}

static void refused_remove(struct proc *table, uint32_t launch)
{
    struct proc *proc, *next;

    HASH_ITER(hh, table, proc, next)
        if (proc->launch == launch && !proc->committed)
            proc_remove(proc);
}

/* Its transfer may have ended, so that nobody else has the number any more. */
void proc_refused(uint32_t launch)
{
    refused_remove(proctable_all, launch);
    refused_remove(doubles, launch);
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
    struct proc *proc = proc_double(pid);
    int taken;

    /* The master had not been told of who was there before. */
    if (!proc)
        return 0;
    taken = proc_leave(pid, channel);
    HASH_DEL(doubles, proc);
    proc->is_double = false;
    HASH_ADD_INT(proctable_all, pid, proc);
    if (proc->exited)
        proc_settle(proc);
    else if (proc->status)
        proc_tell(P_STOPPED, pid, proc->status);
    return taken;
}

/* Its transfer may have been told that it counts; what comes from there is no news any more. */
void proc_stay(pid_t pid)
{
    struct proc *proc = proc_double(pid);

    if (!proc || !proc->committed)
        return;
    proc->committed = false;
    proc_abandon(pid, proc->transfer);
}

int proc_list(launch_done **list, u_int *count)
{
    struct proc *proc, *next;

    *count = 0;
    *list = calloc(HASH_COUNT(proctable_all) + 1, sizeof(**list));
    if (!*list)
        return -ENOMEM;
    HASH_ITER(hh, proctable_all, proc, next)
        if (proc->committed && !proc->born && !proc->acknowledged && *count < BPROC_MAX_PROCS)
            (*list)[(*count)++] = (launch_done){ .pid = proc->pid, .uid = proc->uid };
    return 0;
}

int proc_list_born(int **born, u_int *count)
{
    struct proc *proc, *next;

    *count = 0;
    *born = calloc(HASH_COUNT(proctable_all) + 1, sizeof(**born));
    if (!*born)
        return -ENOMEM;
    HASH_ITER(hh, proctable_all, proc, next)
        if (proc->born && !proc->acknowledged && *count < BPROC_MAX_BORN)
            (*born)[(*count)++] = proc->pid;
    return 0;
}

void proc_report_all(void)
{
    struct proc *proc, *next;

    HASH_ITER(hh, proctable_all, proc, next) {
        if (proc->born && proc->committed && !proc->exited && !proc->detached)
            link_event(P_BORN, FRAME_XDR(born_msg), proc->born);
        proc->reported = false;
        proc->stale_acks = 0;
        proc_settle(proc);
    }
}

void proc_kill_all(void)
{
    struct proc *proc, *next;

    HASH_ITER(hh, proctable_all, proc, next)
        proc->killed = true;
    space_kill(-1, 0);
}

unsigned proc_count(void)
{
    return HASH_COUNT(proctable_all);
}
