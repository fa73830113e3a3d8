/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/bproc.h>
#include <sys/wait.h>
#include <uthash.h>

#include "masterd/link.h"
#include "masterd/nodeghost.h"
#include "masterd/proctable.h"

#define NODEGHOSTS_MAX BPROC_MAX_PROCS

/* The nodes that have a ghost of one process: few, as a rule one. */
struct stand {
    int node;
    struct stand *next;
};

struct nodeghosts {
    int pid;
    int parent, from;
    struct stand *stands;
    UT_hash_handle hh;
};

static struct nodeghosts *all;
static unsigned count;

static struct nodeghosts *ghosts_find(int pid)
{
    struct nodeghosts *ghosts;

    HASH_FIND_INT(all, &pid, ghosts);
    return ghosts;
}

static struct nodeghosts *ghosts_get(int pid, int parent, int from)
{
    struct nodeghosts *ghosts = ghosts_find(pid);

    if (ghosts)
        return ghosts;
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
    struct nodeghosts *ghosts = count < NODEGHOSTS_MAX ? ghosts_get(pid, parent, from) : NULL;
    struct stand *stand;

    if (!ghosts)
        return count < NODEGHOSTS_MAX ? -ENOMEM : -EAGAIN;
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

    return ghosts && *stand_find(ghosts, node) && proc_ppid(proc) == ghosts->parent;
}

int nodeghost_is_child(int pid, int parent)
{
    const struct nodeghosts *ghosts = ghosts_find(pid);

    return ghosts && ghosts->parent == parent;
}

int nodeghost_parent(int pid, int node)
{
    struct nodeghosts *ghosts = ghosts_find(pid);

    return ghosts && ghosts->from == BPROC_NODE_MASTER && *stand_find(ghosts, node)
               ? ghosts->parent : 0;
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
