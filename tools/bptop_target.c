/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/bproc.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "tools/bptop_target.h"

#define SAME_MS 1000            /* two looks at one start differ by less */

/* When it started, by its node's clock; -1 when it is not in the sample. */
static int64_t start_of(const struct sample *sample, int node, int pid)
{
    const struct top_proc *proc = sample_find(sample, node, pid);

    for (size_t i = 0; proc && i < sample->node_count; i++)
        if (sample->nodes[i].node == node && sample->nodes[i].usage)
            return (int64_t)(sample->nodes[i].usage->uptime_ms - proc->usage->age_ms);
    return -1;
}

/* The number means a process of a node only where it has a ghost. */
static int target_check(const struct sample *shown, int node, int pid)
{
    struct sample now;
    int64_t before, start;
    int error = sample_take(&now, NULL);

    if (error)
        return error;
    before = start_of(shown, node, pid);
    start = start_of(&now, node, pid);
    sample_free(&now);
    if (bproc_pidnode(pid) != node || start < 0 || llabs(start - before) > SAME_MS)
        return -ESRCH;
    return 0;
}

int target_open(const struct sample *sample, const struct top_proc *proc)
{
    int target, error;

    if (sample->table.self != BPROC_NODE_MASTER)
        return -EOPNOTSUPP;
    target = pidfd_open(proc->usage->pid, 0);
    if (target < 0)
        return -errno;
    error = target_check(sample, proc->node, proc->usage->pid);
    if (!error)
        return target;
    close(target);
    return error;
}

int target_signal(int target, int signo)
{
    return pidfd_send_signal(target, signo, NULL, 0) < 0 ? -errno : 0;
}
