/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/bproc.h>

#include "common/fault.h"
#include "common/log.h"
#include "masterd/birth.h"
#include "masterd/ghost.h"
#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/nodeghost.h"
#include "masterd/owner.h"
#include "masterd/proctable_impl.h"
#include "masterd/rights.h"
#include "masterd/stays.h"

static struct log_limit born_limit;

static int proc_adopt(struct node *node, int pid)
{
    struct timeval limit = { GHOST_SECONDS, 0 };
    struct proc *proc = proc_entry(pid, node->number);

    if (proc)
        return proc->condemned ? -EEXIST : 0;
    if (pid <= 0)
        return -EINVAL;
    /* Whatever a node says it has: only what is here can be a ghost and come back to it. */
    if (kill(pid, 0) < 0 && errno == ESRCH)
        return -ESRCH;
    proc = proc_new(pid, node->number);
    if (!proc)
        return -errno;
    proc->adopted = 1;
    event_add(proc->on_deadline, &limit);
    ghost_claim(proc, pid, node->number);
    return 0;
}

int proctable_adopt(struct node *node, int pid, uid_t uid)
{
    struct rights *rights = ghost_is_alive(pid) ? rights_of_task(pid) : NULL;
    int is_others = rights && rights_uid(rights) != uid;

    rights_release(rights);
    /* Another user's process by now, which has the number of a dead ghost, is none. */
    return is_others ? -EPERM : proc_adopt(node, pid);
}

static void exited_keep(struct node *node, int pid, int status)
{
    if (!proctable_is_settling() || !ghost_is_alive(pid) || proc_adopt(node, pid) < 0)
        link_exit_ack(node, pid);
    else
        proctable_exited(node, pid, status);
}

/* Where they are a keeper stands for it as their parent. */
static void children_orphan(const struct proc *parent)
{
    struct proc *proc, *next;

    HASH_ITER(hh, proctable_all, proc, next)
        if (proc->ppid == parent->key.pid && proc->key.node != parent->key.node)
            link_orphan(node_at(proc->key.node), parent->key.pid);
}

/*
 * The caller of a transfer that was cut short by our end has taken its child back, or the process
 * never got a ghost: one that has its number is another's.
 */
static int nobody_comes_for(const struct proc *proc)
{
    if (proc->expected)
        return 0;
    return proc->adopted ? !ghost_is_alive(proc->key.pid) : proc->owner != NULL;
}

void proctable_exited(struct node *node, int pid, int status)
{
    struct proc *proc = proc_entry(pid, node->number);

    FAULT(FAULT_MASTERD_EXITED);
    if (!proc) {
        exited_keep(node, pid, status);
        return;
    }
    if (!proc->exited)
        nodeghosts_exited(pid, status);
    if (!proc->exited && proc->adopted && !proc->condemned)
        nodeghost_exited_early(pid, status);
    if (proc->condemned) {
        proc_finish(proc);
        return;
    }
    if (proc->exited)
        return;
    if (!proc->ghost && nobody_comes_for(proc)) {
        proc_finish(proc);
        return;
    }
    proc->exited = 1;
    proc->stopped = 0;
    proc->status = status;
    children_orphan(proc);
    if (proc->ghost)
        ghost_tell_exit(proc->ghost, status);
}

void proctable_stopped(struct node *node, int pid, int stopped, int status)
{
    struct proc *proc = proc_find(pid, node->number);

    if (!proc || proc->exited)
        return;
    proc->stopped = stopped;
    proc->stop_status = status;
    nodeghosts_stopped(pid, stopped, status);
    if (proc->ghost)
        ghost_tell_stop(proc->ghost, stopped, status);
}

static struct proc *born_enter(struct node *node, const born_msg *born, int here,
                               struct rights *rights)
{
    struct owner *owner = owner_take(born->uid);
    struct proc *proc = owner ? proc_new(born->id.pid, node->number) : NULL;

    if (!owner) {
        log_limited(&born_limit, 1, "uid %u has %d processes that were born on nodes: not taking "
                    "in more", born->uid, OWNER_MOST);
        errno = EAGAIN;
        return NULL;
    }
    if (!proc) {
        owner_drop(owner);
        return NULL;
    }
    proc->owner = owner;
    proc->group = born->id;
    proc->born = here;
    proc_describe(proc, born->ppid, rights);
    return proc;
}

struct proc *proctable_passed(struct node *node, const born_msg *born, struct rights *rights)
{
    struct proc *proc = born_enter(node, born, 0, rights);

    if (proc)
        proc->expected = 1;
    return proc;
}

void proc_ask_ghost(struct proc *proc, const born_msg *born)
{
    if (birth_request(born, proc->key.node) < 0)
        proc_unexpect(proc);
}

/* 1 with what it may do, NULL for as long as its parent's ghost is away; 0: not to be believed. */
static int born_is_believed(const struct node *node, const born_msg *born, int has_ghost,
                            struct rights **rights)
{
    struct proc *parent = proc_find(born->ppid, node->number);

    /* What has no parent there is somebody's who has, or just had, others there. */
    *rights = parent ? proc_rights(parent) : stay_rights(node->number, born->uid);
    return *rights || has_ghost || (parent && proc_awaits_ghost(parent));
}

void proctable_born(struct node *node, const born_msg *said)
{
    struct timeval limit = { GHOST_SECONDS, 0 };
    int has_ghost = ghost_is_alive(said->id.pid);
    born_msg copy = *said, *born = &copy;
    struct rights *rights;
    struct proc *proc;

    /* It may have gone to another node before it was found on this one. */
    if (born->id.pid <= 1 || proc_entry(born->id.pid, node->number) ||
        proc_find_anywhere(born->id.pid))
        return;
    if (!born_is_believed(node, said, has_ghost, &rights) ||
        rights_limit(rights, &born->uid, &born->gid) < 0) {
        log_limited(&born_limit, 1, "node %d has no process that could be the parent of process %d "
                    "of uid %u: not taking it in", node->number, said->id.pid, said->uid);
        return;
    }
    proc = born_enter(node, born, 1, rights);
    if (!proc)
        return;
    /* From before our start: it has one. */
    if (has_ghost) {
        proc->adopted = 1;
        event_add(proc->on_deadline, &limit);
        ghost_claim(proc, born->id.pid, node->number);
        return;
    }
    proc->expected = 1;
    proc_ask_ghost(proc, born);
}

void proctable_group(struct node *node, const group_msg *group)
{
    struct proc *proc = proc_find(group->pid, node->number);

    if (!proc || proc->exited)
        return;
    proc->group = *group;
    nodeghosts_group(group);
    if (proc->ghost)
        ghost_tell_group(proc->ghost, group);
}

void proctable_adopted(struct node *node)
{
    ghosts_hurry(node->number);
}

unsigned proctable_node_lost(struct node *node)
{
    struct proc *proc, *next;
    unsigned count = 0;

    HASH_ITER(hh, proctable_all, proc, next) {
        if (proc->key.node != node->number)
            continue;
        if (!proc->condemned && !proc->exited)
            count++;
        if (!proc->exited)
            nodeghosts_exited(proc->key.pid, SIGKILL);
        /* One whose exit is known ends as it ended. */
        if (proc->ghost && proc->exited)
            ghost_detach(proc->ghost);
        else if (proc->ghost)
            ghost_kill(proc->ghost);
        proc_free(proc);
    }
    return count;
}
