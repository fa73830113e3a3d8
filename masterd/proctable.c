/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <uthash.h>

#include "common/fault.h"
#include "common/log.h"
#include "masterd/birth.h"
#include "masterd/ghost.h"
#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/nodeghost.h"
#include "masterd/owner.h"
#include "masterd/pidindex.h"
#include "masterd/proctable.h"
#include "masterd/rights.h"
#include "masterd/stays.h"

#define GHOST_SECONDS 15        /* for a ghost to come back after our restart */
#define CONDEMNED_SECONDS 60    /* for a node to report the end of what it was told to kill */

struct proc_key {
    int pid;
    int node;
};

struct proc {
    struct proc_key key;
    UT_hash_handle hh;
    struct ghost *ghost;
    int exited, status;
    int stopped, stop_status;
    int condemned;
    int adopted;                /* from a HELLO */
    struct owner *owner;        /* born on the node; else NULL */
    int expected;               /* a ghost is being made */
    group_msg group;            /* as the process has made it; pid 0: nothing of the kind */
    int ppid;                   /* 0: not known */
    struct rights *rights;      /* NULL: not known */
    struct stay *stay;          /* NULL: forked there, or not known */
    int born;                   /* forked where it is */
    struct event *on_deadline;
};

static struct proc *procs;
static struct log_limit born_limit;

static struct proc *entry_find(int pid, int node)
{
    struct proc_key key = { pid, node };
    struct proc *proc;

    HASH_FIND(hh, procs, &key, sizeof(key), proc);
    return proc;
}

static void proc_free(struct proc *proc)
{
    owner_drop(proc->owner);
    stay_leave(proc->stay);
    rights_release(proc->rights);
    HASH_DEL(procs, proc);
    pidindex_remove(proc->key.pid, proc->key.node);
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

    if (entry_find(pid, node)) {
        errno = EEXIST;
        return NULL;
    }
    if (HASH_COUNT(procs) >= BPROC_MAX_PROCS) {
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
    HASH_ADD(hh, procs, key, sizeof(proc->key), proc);
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
    if (proc->key.node != node && entry_find(proc->key.pid, node))
        return -EEXIST;
    if (pidindex_add(proc->key.pid, node) < 0)
        return -ENOMEM;
    pidindex_remove(proc->key.pid, proc->key.node);
    HASH_DEL(procs, proc);
    proc->key.node = node;
    HASH_ADD(hh, procs, key, sizeof(proc->key), proc);
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
    struct proc *proc = entry_find(pid, node);

    return proc && !proc->condemned ? proc : NULL;
}

struct proc *proc_child(int ppid, int node)
{
    struct proc *proc, *next;

    HASH_ITER(hh, procs, proc, next)
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

static void proc_finish(struct proc *proc)
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

int proctable_is_settling(void)
{
    return master_now() - master.started < GHOST_SECONDS * 1000;
}

static int proc_adopt(struct node *node, int pid)
{
    struct timeval limit = { GHOST_SECONDS, 0 };
    struct proc *proc = entry_find(pid, node->number);

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

    HASH_ITER(hh, procs, proc, next)
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
    struct proc *proc = entry_find(pid, node->number);

    FAULT(FAULT_MASTERD_EXITED);
    if (!proc) {
        exited_keep(node, pid, status);
        return;
    }
    if (!proc->exited)
        nodeghosts_exited(pid, status);
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
    if (born->id.pid <= 1 || entry_find(born->id.pid, node->number) ||
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

    HASH_ITER(hh, procs, proc, next) {
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

    HASH_ITER(hh, procs, proc, next) {
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

    ret->procs.procs_val = calloc(HASH_COUNT(procs) + 1, sizeof(proc_record));
    if (!ret->procs.procs_val)
        return -ENOMEM;
    HASH_ITER(hh, procs, proc, next) {
        if (proc->condemned || proc->exited || (node != BPROC_NODE_ANY && proc->key.node != node))
            continue;
        ret->procs.procs_val[ret->procs.procs_len++] =
            (proc_record){ .pid = proc->key.pid, .node = proc->key.node };
    }
    return 0;
}
