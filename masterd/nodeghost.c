/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/bproc.h>
#include <sys/wait.h>
#include <uthash.h>

#include "common/log.h"
#include "masterd/ghost.h"
#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/nodeghost.h"
#include "masterd/proctable.h"
#include "moves/task.h"

#define NODEGHOSTS_MAX BPROC_MAX_PROCS
#define SETTLE_SECONDS 20       /* for nodes to name their processes after our restart */

/* The nodes that have a ghost of one process: few, as a rule one. */
struct stand {
    int node;
    struct stand *next;
};

struct nodeghosts {
    int pid;
    int parent, from;
    int told;                   /* by a node: then the parent has to be on it */
    struct stand *stands;
    UT_hash_handle hh;
};

/* After our restart: the end of a process whose ghosts' nodes are still to come back. */
struct early_end {
    int pid, status;
    UT_hash_handle hh;
};

static struct nodeghosts *all;
static struct early_end *ends;
static unsigned count;
static struct log_limit ghosts_limit;
static int settling;            /* settled() is due */

static struct nodeghosts *ghosts_find(int pid)
{
    struct nodeghosts *ghosts;

    HASH_FIND_INT(all, &pid, ghosts);
    return ghosts;
}

static struct nodeghosts *ghosts_get(int pid, int parent, int from)
{
    struct nodeghosts *ghosts = ghosts_find(pid);

    if (ghosts && ghosts->parent == parent)
        return ghosts;
    /* What an older process of that number has left. */
    nodeghosts_exited(pid, SIGKILL);
    ghosts = calloc(1, sizeof(*ghosts));
    if (!ghosts)
        return NULL;
    ghosts->pid = pid;
    ghosts->parent = parent;
    ghosts->from = from;
    HASH_ADD_INT(all, pid, ghosts);
    return ghosts;
}

static void ghosts_tidy(struct nodeghosts *ghosts)
{
    if (ghosts->stands)
        return;
    HASH_DEL(all, ghosts);
    free(ghosts);
}

static struct stand **stand_find(struct nodeghosts *ghosts, int node)
{
    struct stand **at = &ghosts->stands;

    while (*at && (*at)->node != node)
        at = &(*at)->next;
    return at;
}

static void stand_free(struct stand **at)
{
    struct stand *stand = *at;

    *at = stand->next;
    free(stand);
    count--;
}

int nodeghost_add(int pid, int node, int parent, int from)
{
    struct nodeghosts *ghosts;
    struct stand *stand;

    if (count >= NODEGHOSTS_MAX) {
        log_limited(&ghosts_limit, 1, "cannot have a ghost of process %d on node %d: nodes have %u "
                    "already", pid, node, count);
        return -EAGAIN;
    }
    ghosts = ghosts_get(pid, parent, from);
    if (!ghosts)
        return -ENOMEM;
    if (*stand_find(ghosts, node))
        return 0;
    stand = calloc(1, sizeof(*stand));
    if (!stand) {
        ghosts_tidy(ghosts);
        return -ENOMEM;
    }
    stand->node = node;
    stand->next = ghosts->stands;
    ghosts->stands = stand;
    count++;
    return 0;
}

int nodeghost_stands_for(const struct proc *proc, int pid, int node)
{
    struct nodeghosts *ghosts = ghosts_find(pid);

    return ghosts && *stand_find(ghosts, node) && proc_ppid(proc) == ghosts->parent &&
           (!ghosts->told || proc_find(ghosts->parent, node));
}

int nodeghost_is_others(int pid, int parent)
{
    const struct nodeghosts *ghosts = ghosts_find(pid);

    return ghosts && ghosts->parent != parent;
}

int nodeghost_parent(int pid, int node, int *from)
{
    struct nodeghosts *ghosts = ghosts_find(pid);

    if (!ghosts || !*stand_find(ghosts, node))
        return 0;
    *from = ghosts->from;
    return ghosts->parent;
}

static void one_tell(int pid, int node, int status)
{
    status_msg msg = { .pid = pid, .status = status };

    link_event(node_at(node), P_GHOST_EXIT, FRAME_XDR(status_msg), &msg);
}

/* A process of this machine, left behind by one that moved, is in no table of ours. */
static int is_left_here(int pid, int ppid)
{
    return kill(pid, 0) == 0 && task_parent(pid) == ppid && ghost_is_alive(ppid);
}

static int is_somewhere(const struct nodeghosts *ghosts)
{
    return proc_find_anywhere(ghosts->pid) || is_left_here(ghosts->pid, ghosts->parent);
}

static void settled(evutil_socket_t fd, short what, void *arg)
{
    struct nodeghosts *ghosts, *next;
    struct early_end *end, *after;

    (void)fd;
    (void)what;
    (void)arg;
    settling = 0;
    HASH_ITER(hh, all, ghosts, next)
        if (!is_somewhere(ghosts))
            nodeghosts_exited(ghosts->pid, SIGKILL);
    HASH_ITER(hh, ends, end, after) {
        HASH_DEL(ends, end);
        free(end);
    }
}

static void settle_later(void)
{
    struct timeval limit = { SETTLE_SECONDS, 0 };

    if (!settling++)
        event_base_once(master.base, -1, EV_TIMEOUT, settled, NULL, &limit);
}

static struct early_end *end_find(int pid)
{
    struct early_end *end;

    HASH_FIND_INT(ends, &pid, end);
    return end;
}

void nodeghost_exited_early(int pid, int status)
{
    struct early_end *end = end_find(pid) ? NULL : calloc(1, sizeof(*end));

    if (!end)
        return;
    end->pid = pid;
    end->status = status;
    HASH_ADD_INT(ends, pid, end);
    settle_later();
}

void nodeghost_adopt(const ghost_record *ghost, int node, int lost)
{
    int from = is_left_here(ghost->pid, ghost->ppid) ? BPROC_NODE_MASTER : node;
    const struct early_end *end = lost ? NULL : end_find(ghost->pid);

    if (end || lost || nodeghost_add(ghost->pid, node, ghost->ppid, from) < 0) {
        one_tell(ghost->pid, node, end ? end->status : SIGKILL);
        return;
    }
    ghosts_find(ghost->pid)->told = 1;
    settle_later();
}

void nodeghost_remove(int pid, int node)
{
    struct nodeghosts *ghosts = ghosts_find(pid);
    struct stand **at = ghosts ? stand_find(ghosts, node) : NULL;

    if (!at || !*at)
        return;
    stand_free(at);
    ghosts_tidy(ghosts);
}

static void status_tell(const struct nodeghosts *ghosts, bproc_proc proc, int status)
{
    status_msg msg = { .pid = ghosts->pid, .status = status };

    for (const struct stand *stand = ghosts->stands; stand; stand = stand->next)
        link_event(node_at(stand->node), proc, FRAME_XDR(status_msg), &msg);
}

void nodeghosts_exited(int pid, int status)
{
    struct nodeghosts *ghosts = ghosts_find(pid);

    if (!ghosts)
        return;
    status_tell(ghosts, P_GHOST_EXIT, status);
    while (ghosts->stands)
        stand_free(&ghosts->stands);
    ghosts_tidy(ghosts);
}

void nodeghosts_stopped(int pid, int stopped, int status)
{
    struct nodeghosts *ghosts = ghosts_find(pid);

    if (ghosts)
        status_tell(ghosts, stopped ? P_GHOST_STOP : P_GHOST_CONT, status);
}

static void group_send(int node, const group_msg *group)
{
    link_event(node_at(node), P_GHOST_GROUP, FRAME_XDR(group_msg), group);
}

void nodeghosts_group(const group_msg *group)
{
    const struct nodeghosts *ghosts = ghosts_find(group->pid);
    const struct stand *stand = ghosts ? ghosts->stands : NULL;

    for (; stand; stand = stand->next)
        group_send(stand->node, group);
}

void nodeghost_group(int pid, int node)
{
    struct nodeghosts *ghosts = ghosts_find(pid);
    const struct proc *proc = proc_find_anywhere(pid);

    if (ghosts && *stand_find(ghosts, node) && proc && proc_group(proc))
        group_send(node, proc_group(proc));
}

void nodeghosts_changed(int pid, int status, int from, int parent)
{
    const struct nodeghosts *ghosts = ghosts_find(pid);

    if (!ghosts || ghosts->from != from || (parent && ghosts->parent != parent))
        return;
    if (WIFSTOPPED(status) || WIFCONTINUED(status))
        nodeghosts_stopped(pid, WIFSTOPPED(status), status);
    else
        nodeghosts_exited(pid, status);
}

void nodeghosts_node_lost(int node)
{
    struct nodeghosts *ghosts, *next;

    HASH_ITER(hh, all, ghosts, next)
        nodeghost_remove(ghosts->pid, node);
}
