/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "masterd/ghost_impl.h"
#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/proctable.h"
#include "moves/task.h"

static void ghost_wait_for_node(struct ghost *ghost)
{
    struct timeval limit = { 2 * master.conf->ping_timeout, 0 };

    event_add(ghost->on_deadline, &limit);
}

/*
 * A parent that died while we were away is known to the ghost alone, which now is init's or another
 * reaper's child. What it says counts only if there is nobody of that number.
 */
static pid_t parent_choose(pid_t now, pid_t claimed)
{
    if (claimed > 1 && claimed != now && kill(claimed, 0) < 0 && errno == ESRCH)
        return claimed;
    return now > 1 ? now : 0;
}

/* It may have moved on while its ghost was being made. */
static struct proc *proc_of_ghost(const ghost_hello_arg *hello)
{
    struct proc *proc = proc_find(hello->pid, hello->node);
    struct proc *moved = proc ? NULL : proc_find_anywhere(hello->pid);

    return moved && proc_awaits_ghost(moved) ? moved : proc;
}

/* Its process ended before it was there, and nobody waits for it: it would keep the number. */
static int is_too_late(int number)
{
    return node_at(number)->link && !proctable_is_settling();
}

void ghost_make_way(pid_t pid)
{
    struct ghost *ghost = ghost_of(pid);

    if (ghost && !ghost->proc && is_too_late(ghost->node))
        ghost_kill(ghost);
}

int ghost_reconnect(struct conn *conn, const struct caller *caller, const ghost_hello_arg *hello)
{
    struct proc *proc = proc_of_ghost(hello);
    int node = proc ? proc_node(proc) : hello->node;
    struct ghost *ghost;
    struct task task;
    int pidfd;

    if (!hello->reconnect || caller->pid != hello->pid || !ghost_is_alive(caller->pid) ||
        !node_at(hello->node))
        return -EPERM;
    if (ghost_of(hello->pid) || (proc && !proc_awaits_ghost(proc)))
        return -EEXIST;
    pidfd = (int)syscall(SYS_pidfd_open, caller->pid, 0);
    if (pidfd < 0)
        return -errno;
    /* The number may be another user's by now: credentials are those of the connect. */
    if (task_read(caller->pid, &task) < 0 || !task_is_plain(&task, caller->uid)) {
        close(pidfd);
        return -EPERM;
    }
    ghost = ghost_new(conn, pidfd, caller->pid, parent_choose(task.ppid, hello->ppid), node);
    if (!ghost) {
        close(pidfd);
        return -ENOMEM;
    }
    if (node != hello->node)
        ghost_move(ghost, node);
    if (proc && proc_takes_ghost(proc))
        ghost_join(ghost, proc);
    else if (proc || is_too_late(node))
        ghost_kill(ghost);      /* the ghost of an older process of that number */
    else
        ghost_wait_for_node(ghost);
    return 0;
}
