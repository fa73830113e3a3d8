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

#include "common/log.h"
#include "common/siginfo.h"
#include "masterd/ghost.h"
#include "masterd/kin.h"
#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/nodeghost.h"
#include "masterd/proctable.h"
#include "masterd/rights.h"
#include "masterd/stays.h"
#include "moves/task.h"

#define KEPT_MAX 1024
#define KEPT_A_USER 256         /* so that one user cannot lose the others' */
#define KEPT_USEC 5000000
#define LOOK_USEC 20000

/* A signal for a child that cannot be reached yet. */
struct kept {
    TAILQ_ENTRY(kept) entry;
    signal_msg msg;
    int parent, from;
    int64_t until;
};

static TAILQ_HEAD(, kept) all_kept = TAILQ_HEAD_INITIALIZER(all_kept);
static unsigned kept_count;
static int looking;             /* kept_look() is due */
static struct log_limit kin_limit;

static void node_send(const struct proc *proc, const signal_msg *msg)
{
    link_event(node_at(proc_node(proc)), P_SIGNAL, FRAME_XDR(signal_msg), msg);
}

static void here_send(int pidfd, const signal_msg *msg)
{
    int error = siginfo_send(msg, pidfd);

    if (error && error != -ESRCH)
        log_limited(&kin_limit, 10, "cannot send signal %d to process %d: %s", msg->signo, msg->pid,
                    strerror(-error));
}

/* ---- to a child ---- */

/* One of this machine, whose parent has moved away. 0 if nothing of that is so (yet). */
static int child_here(const signal_msg *msg, int parent)
{
    int pidfd = (int)syscall(SYS_pidfd_open, msg->pid, 0);
    int is_its = pidfd >= 0 && task_parent(msg->pid) == parent && ghost_of(parent);

    if (is_its)
        here_send(pidfd, msg);
    if (pidfd >= 0)
        close(pidfd);
    return is_its;
}

/* Its parent may have ended before its node told of it. */
static int child_is_its(const struct proc *proc, const struct kept *kept)
{
    return proc_ppid(proc) == kept->parent ||
           (proc_ppid(proc) <= 1 && proc_node(proc) == kept->from);
}

static int child_send(const struct kept *kept)
{
    const struct proc *proc = proc_find_anywhere(kept->msg.pid);

    if (!proc)
        return kept->from == BPROC_NODE_MASTER && child_here(&kept->msg, kept->parent);
    if (child_is_its(proc, kept))
        node_send(proc, &kept->msg);
    return 1;
}

static void kept_forget(struct kept *kept)
{
    TAILQ_REMOVE(&all_kept, kept, entry);
    kept_count--;
    free(kept);
}

static void kept_look(evutil_socket_t fd, short what, void *arg)
{
    struct timeval pause = { 0, LOOK_USEC };
    struct kept *kept, *next;

    (void)fd;
    (void)what;
    (void)arg;
    for (kept = TAILQ_FIRST(&all_kept); kept; kept = next) {
        next = TAILQ_NEXT(kept, entry);
        if (child_send(kept) || kept->until <= master_now())
            kept_forget(kept);
    }
    looking = !TAILQ_EMPTY(&all_kept);
    if (looking)
        event_base_once(master.base, -1, EV_TIMEOUT, kept_look, NULL, &pause);
}

static unsigned kept_of(uid_t uid)
{
    const struct kept *kept;
    unsigned count = 0;

    TAILQ_FOREACH(kept, &all_kept, entry)
        count += kept->msg.from_uid == uid;
    return count;
}

/*
 * Its parent has just moved away: its node has not told of it yet, or the parent's ghost has not
 * come yet. What comes for it goes out in the order in which it came.
 */
static void kept_add(const signal_msg *msg, int parent, int from)
{
    int full = kept_count >= KEPT_MAX || kept_of(msg->from_uid) >= KEPT_A_USER;
    struct kept *kept = full ? NULL : calloc(1, sizeof(*kept));

    if (!kept) {
        log_limited(&kin_limit, 10, "cannot keep signal %d of uid %u for process %d: %s",
                    msg->signo, msg->from_uid, msg->pid,
                    full ? "too many wait already" : strerror(ENOMEM));
        return;
    }
    kept->msg = *msg;
    kept->parent = parent;
    kept->from = from;
    kept->until = master_now() + KEPT_USEC;
    TAILQ_INSERT_TAIL(&all_kept, kept, entry);
    kept_count++;
    if (!looking)
        kept_look(-1, 0, NULL);
}

void kin_signal_child(const signal_msg *msg, int node)
{
    const struct proc *proc = proc_find_anywhere(msg->pid);
    int from, parent = nodeghost_parent(msg->pid, node, &from);

    if (proc && nodeghost_stands_for(proc, msg->pid, node) && !looking)
        node_send(proc, msg);
    else if (parent && (!proc || nodeghost_stands_for(proc, msg->pid, node)))
        kept_add(msg, parent, from);
}

/* ---- to a parent ---- */

/* The node may speak for that user, and kill(2) would let him. */
static int sender_is_good(const signal_msg *msg, int node, uid_t real, uid_t saved)
{
    const struct rights *rights = stay_rights(node, msg->from_uid);

    if (!rights || (rights_uid(rights) != 0 && rights_uid(rights) != msg->from_uid))
        return 0;
    return msg->from_uid == 0 || msg->from_uid == real || msg->from_uid == saved;
}

static void parent_here(const signal_msg *msg, int node, const struct proc *child)
{
    static struct task parent;      /* too large for the stack of a callback */
    int pidfd = (int)syscall(SYS_pidfd_open, msg->pid, 0);

    if (pidfd < 0)
        return;
    /* Its child is a ghost here. Another process of that number has none of these. */
    if (task_read(msg->pid, &parent) == 0 && task_parent(proc_pid(child)) == msg->pid &&
        sender_is_good(msg, node, parent.uids[0], parent.uids[2]))
        here_send(pidfd, msg);
    close(pidfd);
}

void kin_signal_parent(const signal_msg *msg, int node)
{
    struct proc *parent = proc_find_anywhere(msg->pid), *child = proc_child(msg->pid, node);
    const struct rights *rights = parent ? proc_rights(parent) : NULL;

    if (msg->pid <= 1 || !child)
        return;
    if (!parent)
        parent_here(msg, node, child);
    else if (rights && sender_is_good(msg, node, rights_uid(rights), rights_uid(rights)))
        node_send(parent, msg);
}
