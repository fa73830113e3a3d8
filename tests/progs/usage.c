/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage NODE: prints what bproc_usage() tells of it, a line for each node and process, with those
 * figures left out that are another each time; or how it failed.
 */
#include "config.h"

#include "tests/progs/prog.h"

static void node_print(const struct bproc_usage_t *node)
{
    printf("node %d processes %d listed %d\n", node->node, node->processes, node->count);
    CHECK(node->cpus > 0 && node->uptime_ms > 0 && node->busy_ms > 0, "no times of %d", node->node);
    CHECK(node->memory > node->available && node->available > 0, "no memory of %d", node->node);
    for (int i = 0; i < node->count; i++) {
        const struct bproc_proc_usage_t *proc = &node->list[i];

        CHECK(proc->cpu_ms <= (proc->age_ms + 1000) * (uint64_t)node->cpus,
              "process %d has used more time than there was", proc->pid);
        CHECK(proc->state == 'Z' || proc->rss > 0, "process %d has no memory", proc->pid);
        printf("process %d of %d uid %u nice %d threads %d: %s\n", proc->pid, proc->ppid,
               (unsigned)proc->uid, proc->nice, proc->threads, proc->command);
    }
}

int main(int argc, char **argv)
{
    struct bproc_usage_t *list;
    int count;

    CHECK(argc == 2, "usage: usage NODE");
    CHECK(bproc_usage(BPROC_NODE_ANY, NULL) == -1 && errno == EINVAL, "NULL is a list");
    count = bproc_usage(atoi(argv[1]), &list);
    if (count < 0) {
        CHECK(!list, "there is a list after a failure");
        printf("-1 %s\n", strerrorname_np(errno));
        return 0;
    }
    CHECK((count == 0) == !list, "%d nodes at %p", count, (void *)list);
    for (int i = 0; i < count; i++)
        node_print(&list[i]);
    free(list);
    return 0;
}
