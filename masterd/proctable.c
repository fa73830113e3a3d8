/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/bproc.h>

#include "common/fault.h"
#include "common/log.h"
#include "masterd/birth.h"
#include "masterd/ghost.h"
#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/owner.h"
#include "masterd/pidindex.h"
#include "masterd/proctable_impl.h"
#include "masterd/rights.h"
#include "masterd/stays.h"

#define CONDEMNED_SECONDS 60    /* for a node to report the end of what it was told to kill */

struct proc *proctable_all;

struct proc *proc_entry(int pid, int node)
{
    struct proc_key key = { pid, node };
    struct proc *proc;

    HASH_FIND(hh, proctable_all, &key, sizeof(key), proc);
    return proc;
}

void proc_free(struct proc *proc)
{
    owner_drop(proc->owner);
    stay_leave(proc->stay);
    rights_release(proc->rights);
    HASH_DEL(proctable_all, proc);
    pidindex_remove(proc->key.pid, proc->key.node);
    birth_forget(proc->key.pid, proc->key.node);
    event_free(proc->on_deadline);
    free(proc);
}

static void proc_condemn(struct proc *proc)
{
    struct timeval limit = { CONDEMNED_SECONDS, 0 };

    proc->condemned = 1;
    link_kill(node_at(proc->key.node), proc->key.pid);
    event_add(proc->on_deadline, &limit);
}

static void deadline_passed(evutil_socket_t fd, short what, void *arg)
{
    struct proc *proc = arg;
    struct timeval again = { GHOST_SECONDS, 0 };

    (void)fd;
    (void)what;
    if (proc->condemned) {
        proc_free(proc);
        return;
    }
    if (proc->expected) {
        proc_unexpect(proc);
        return;
    }
    /* A stopped ghost cannot come back before it is continued. */
    if (ghost_is_alive(proc->key.pid)) {
        event_add(proc->on_deadline, &again);
        return;
    }
    log_warnx("process %d on node %d: no ghost came back for it", proc->key.pid, proc->key.node);
    proc_release(proc);
}

struct proc *proc_new(int pid, int node)
{
    struct proc *proc;

    if (proc_entry(pid, node)) {
        errno = EEXIST;
        return NULL;
    }
    if (HASH_COUNT(proctable_all) >= BPROC_MAX_PROCS) {
        errno = EAGAIN;
        return NULL;
    }
    proc = calloc(1, sizeof(*proc));
    if (!proc)
        return NULL;
    proc->key = (struct proc_key){ pid, node };
    proc->on_deadline = event_new(master.base, -1, 0, deadline_passed, proc);
    if (!proc->on_deadline || pidindex_add(pid, node) < 0) {
        if (proc->on_deadline)
            event_free(proc->on_deadline);
        free(proc);
        errno = ENOMEM;
        return NULL;
    }
    HASH_ADD(hh, proctable_all, key, sizeof(proc->key), proc);
    return proc;
}

static void rights_set(struct proc *proc, struct rights *rights)
{
    proc->rights = rights_hold(rights);
    if (rights && !proc->born)
        proc->stay = stay_enter(proc->key.node, rights);
}

void proc_describe(struct proc *proc, int ppid, struct rights *rights)
{
    proc->ppid = ppid;
    rights_set(proc, rights);
}

int proc_ppid(const struct proc *proc)
{
    return proc->ppid;
}

/* Of what was forked there before its parent's ghost came back. */
struct rights *proc_rights(struct proc *proc)
{
    const struct proc *parent;

    if (!proc->rights && proc->born) {
        parent = proc_find(proc->ppid, proc->key.node);
        rights_set(proc, parent ? parent->rights : NULL);
    }
    return proc->rights;
}

int proc_node(const struct proc *proc)
{
    return proc->key.node;
}

int proc_move(struct proc *proc, int node)
{
    if (proc->key.node != node && proc_entry(proc->key.pid, node))
        return -EEXIST;
    if (pidindex_add(proc->key.pid, node) < 0)
        return -ENOMEM;
    pidindex_remove(proc->key.pid, proc->key.node);
    HASH_DEL(proctable_all, proc);
    birth_move(proc->key.pid, proc->key.node, node);
    proc->key.node = node;
    HASH_ADD(hh, proctable_all, key, sizeof(proc->key), proc);
    stay_leave(proc->stay);
    proc->born = 0;
    proc->stay = proc->rights ? stay_enter(node, proc->rights) : NULL;
    if (proc->ghost)
        ghost_move(proc->ghost, node);
    return 0;
}

struct proc *proc_find_anywhere(int pid)
{
    for (int node = pidindex_next(pid, PIDINDEX_START); node != PIDINDEX_END;
         node = pidindex_next(pid, node)) {
        struct proc *proc = proc_find(pid, node);

        if (proc)
            return proc;
    }
    return NULL;
}

struct proc *proc_find(int pid, int node)
{
    struct proc *proc = proc_entry(pid, node);

    return proc && !proc->condemned ? proc : NULL;
}

struct proc *proc_child(int ppid, int node)
{
    struct proc *proc, *next;

    HASH_ITER(hh, proctable_all, proc, next)
        if (proc->key.node == node && proc->ppid == ppid && !proc->condemned && !proc->exited)
            return proc;
    return NULL;
}

const group_msg *proc_group(const struct proc *proc)
{
    return proc->group.pid ? &proc->group : NULL;
}

int proc_pid(const struct proc *proc)
{
    return proc->key.pid;
}

int proc_awaits_ghost(const struct proc *proc)
{
    return (proc->adopted || proc->expected) && !proc->ghost;
}

int proc_takes_ghost(const struct proc *proc)
{
    return proc_awaits_ghost(proc) && (proc->adopted || proc->made);
}

void proc_ghost_made(struct proc *proc)
{
    proc->made = 1;
}

int proc_is_over(const struct proc *proc)
{
    return proc->exited;
}

void proc_expect(struct proc *proc, int seconds)
{
    struct timeval limit = { seconds, 0 };

    proc->expected = 1;
    event_add(proc->on_deadline, &limit);
}

int proc_is_stopped(const struct proc *proc)
{
    return proc->stopped;
}

void proc_attach(struct proc *proc, struct ghost *ghost)
{
    proc->ghost = ghost;
    if (!proc->rights) {
        struct rights *rights = ghost_rights(ghost);

        rights_set(proc, rights);
        rights_release(rights);
    }
    if (!proc->ppid)
        proc->ppid = ghost_ppid(ghost);
    proc->expected = 0;
    event_del(proc->on_deadline);
    if (proc->group.pid)
        ghost_tell_group(ghost, &proc->group);
    if (proc->exited)
        ghost_tell_exit(ghost, proc->status);
    else if (proc->stopped)
        ghost_tell_stop(ghost, 1, proc->stop_status);
}

void proc_finish(struct proc *proc)
{
    FAULT(FAULT_MASTERD_EXIT_TOLD);
    link_exit_ack(node_at(proc->key.node), proc->key.pid);
    proc_free(proc);
}

void proc_unexpect(struct proc *proc)
{
    proc->expected = 0;
    event_del(proc->on_deadline);
    if (proc->exited && !proc->ghost)
        proc_finish(proc);
}

void proc_release(struct proc *proc)
{
    proc->ghost = NULL;
    if (proc->exited)
        proc_finish(proc);
    else
        proc_condemn(proc);
}

void proc_drop(struct proc *proc)
{
    if (proc->ghost)
        ghost_kill(proc->ghost);
    proc_release(proc);
}

int proctable_is_settling(void)
{
    return master_now() - master.started < GHOST_SECONDS * 1000;
}

static int proc_uses(const struct proc *proc, int number)
{
    return proc->key.pid == number ||
           (proc->group.pid && (proc->group.pgid == number || proc->group.sid == number));
}

/* Here a group's members are not known: one without its leader is others'. */
static enum number_use use_here(int number, uid_t uid)
{
    struct rights *rights = rights_of_task(number);
    enum number_use use = rights && rights_uid(rights) == uid ? USE_OWN : USE_OTHERS;

    rights_release(rights);
    if (use == USE_OTHERS && kill(number, 0) < 0 && kill(-number, 0) < 0)
        return USE_NONE;
    return use;
}

enum number_use proctable_use(int number, uid_t uid)
{
    enum number_use use = use_here(number, uid);
    struct proc *proc, *next;

    HASH_ITER(hh, proctable_all, proc, next) {
        if (!proc_uses(proc, number))
            continue;
        if (proc->rights && rights_uid(proc->rights) == uid)
            return USE_OWN;
        use = use == USE_OWN ? USE_OWN : USE_OTHERS;
    }
    return use;
}

int proctable_list(int node, proc_list_ret *ret)
{
    struct proc *proc, *next;

    ret->procs.procs_val = calloc(HASH_COUNT(proctable_all) + 1, sizeof(proc_record));
    if (!ret->procs.procs_val)
        return -ENOMEM;
    HASH_ITER(hh, proctable_all, proc, next) {
        if (proc->condemned || proc->exited || (node != BPROC_NODE_ANY && proc->key.node != node))
            continue;
        ret->procs.procs_val[ret->procs.procs_len++] =
            (proc_record){ .pid = proc->key.pid, .node = proc->key.node };
    }
    return 0;
}
