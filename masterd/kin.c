/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"
#include "masterd/ghost.h"
#include "masterd/kin.h"
#include "masterd/link.h"
#include "masterd/nodeghost.h"
#include "masterd/proctable.h"
#include "masterd/rights.h"
#include "masterd/stays.h"
#include "moves/task.h"

static struct log_limit kin_limit;

static void node_send(const struct proc *proc, const signal_msg *msg)
{
    link_event(node_at(proc_node(proc)), P_SIGNAL, FRAME_XDR(signal_msg), msg);
}

/* The kernel lets nobody claim to be another sender of a plain kill(2). */
static void here_send(int pidfd, const signal_msg *msg)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    info.si_signo = msg->signo;
    info.si_code = SI_QUEUE;
    info.si_pid = msg->from_pid;
    info.si_uid = msg->from_uid;
    info.si_value.sival_ptr = (void *)(uintptr_t)msg->value;
    if (syscall(SYS_pidfd_send_signal, pidfd, msg->signo, msg->code == SI_QUEUE ? &info : NULL,
                0) < 0 && errno != ESRCH)
        log_limited(&kin_limit, 10, "cannot send signal %d to process %d: %s", msg->signo, msg->pid,
                    strerror(errno));
}

/* ---- to a child ---- */

/* One of this machine, whose parent has moved away; nothing if it is not its. */
static void child_here(const signal_msg *msg, int parent)
{
    int pidfd = (int)syscall(SYS_pidfd_open, msg->pid, 0);

    if (pidfd < 0)
        return;
    if (task_parent(msg->pid) == parent && ghost_of(parent))
        here_send(pidfd, msg);
    close(pidfd);
}

void kin_signal_child(const signal_msg *msg, int node)
{
    const struct proc *proc = proc_find_anywhere(msg->pid);

    if (!proc)
        child_here(msg, nodeghost_parent(msg->pid, node));
    else if (nodeghost_stands_for(proc, msg->pid, node))
        node_send(proc, msg);
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
