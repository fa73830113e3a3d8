/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bptop_sample.h"

static double percent(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static double percent_most(double value, double most)
{
    return value < most ? value : most;
}

static int proc_compare(const void *a, const void *b)
{
    const struct top_proc *left = a, *right = b;

    if (left->node != right->node)
        return left->node < right->node ? -1 : 1;
    return (left->usage->pid > right->usage->pid) - (left->usage->pid < right->usage->pid);
}

const struct top_proc *sample_find(const struct sample *sample, int node, int pid)
{
    struct bproc_proc_usage_t usage = { .pid = pid };
    struct top_proc key = { .node = node, .usage = &usage };

    if (!sample || sample->proc_count == 0)
        return NULL;
    return bsearch(&key, sample->procs, sample->proc_count, sizeof(key), proc_compare);
}

static const struct top_node *node_find(const struct sample *sample, int node)
{
    for (size_t i = 0; sample && i < sample->node_count; i++)
        if (sample->nodes[i].node == node)
            return sample->nodes[i].usage ? &sample->nodes[i] : NULL;
    return NULL;
}

/* The daemons keep figures for a second: then there is nothing newer. */
static void node_rate(struct top_node *node, const struct top_node *before)
{
    const struct bproc_usage_t *now = node->usage;
    uint64_t busy = now->busy_ms, time = now->uptime_ms;

    node->memory = percent(now->memory - now->available, now->memory);
    if (before && before->usage->uptime_ms == time) {
        node->cpu = before->cpu;
        return;
    }
    if (before && before->usage->uptime_ms < time && before->usage->busy_ms <= busy) {
        time -= before->usage->uptime_ms;
        busy -= before->usage->busy_ms;
    }
    node->cpu = percent_most(percent(busy, time * (uint64_t)now->cpus), 100);
}

static void proc_rate(struct top_proc *proc, const struct bproc_usage_t *node,
                      const struct top_proc *before, const struct top_node *node_before)
{
    uint64_t cpu = proc->usage->cpu_ms, time = proc->usage->age_ms;

    proc->memory = percent(proc->usage->rss, node->memory);
    /* One that is younger than the sample before has its number from an older one. */
    if (before && node_before && before->usage->age_ms <= time && before->usage->cpu_ms <= cpu) {
        if (node_before->usage->uptime_ms == node->uptime_ms) {
            proc->cpu = before->cpu;
            return;
        }
        cpu -= before->usage->cpu_ms;
        time = node->uptime_ms - node_before->usage->uptime_ms;
    }
    proc->cpu = percent_most(percent(cpu, time), 100.0 * node->cpus);
}

/* Remembers the last one: most processes that stand together belong to the same user. */
static void user_name(struct top_proc *proc)
{
    static uint32_t last = UINT32_MAX;
    static char name[SAMPLE_USER_MAX];
    const struct passwd *user;

    if (proc->usage->uid != last) {
        last = proc->usage->uid;
        user = getpwuid(last);
        if (user)
            snprintf(name, sizeof(name), "%s", user->pw_name);
        else
            snprintf(name, sizeof(name), "#%u", last);
    }
    memcpy(proc->user, name, sizeof(name));
}

static int usage_compare(const void *a, const void *b)
{
    const struct bproc_usage_t *left = a, *right = b;

    return (left->node > right->node) - (left->node < right->node);
}

/* They come in ascending order. */
static const struct bproc_usage_t *usage_find(const struct bproc_usage_t *usage, int count,
                                              int node)
{
    struct bproc_usage_t key = { .node = node };

    return count > 0 ? bsearch(&key, usage, (size_t)count, sizeof(key), usage_compare) : NULL;
}

static int nodes_fill(struct sample *sample, int usage_count)
{
    struct tool_nodes *table = &sample->table;

    table->count = bproc_nodelist(&table->list);
    table->self = table->count < 0 ? BPROC_NODE_NONE : bproc_currnode();
    if (table->self == BPROC_NODE_NONE)
        return -errno;
    sample->nodes = calloc((size_t)table->count + 1, sizeof(*sample->nodes));
    if (!sample->nodes)
        return -ENOMEM;
    sample->node_count = (size_t)table->count + 1;
    sample->nodes[0] = (struct top_node) { .node = BPROC_NODE_MASTER, .state = bproc_node_up };
    for (int i = 0; i < table->count; i++)
        sample->nodes[i + 1] = (struct top_node) { .node = table->list[i].node,
                                                   .state = table->list[i].status };
    for (size_t i = 0; i < sample->node_count; i++)
        sample->nodes[i].usage = usage_find(sample->usage, usage_count, sample->nodes[i].node);
    return 0;
}

static int procs_fill(struct sample *sample, int usage_count)
{
    size_t count = 0;

    for (int i = 0; i < usage_count; i++)
        count += (size_t)sample->usage[i].count;
    sample->procs = calloc(count + 1, sizeof(*sample->procs));
    if (!sample->procs)
        return -ENOMEM;
    for (int i = 0; i < usage_count; i++)
        for (int k = 0; k < sample->usage[i].count; k++)
            sample->procs[sample->proc_count++] =
                (struct top_proc) { .node = sample->usage[i].node,
                                    .usage = &sample->usage[i].list[k] };
    qsort(sample->procs, sample->proc_count, sizeof(*sample->procs), proc_compare);
    return 0;
}

static void rates_fill(struct sample *sample, const struct sample *before)
{
    const struct top_node *node = NULL, *node_before = NULL;

    for (size_t i = 0; i < sample->node_count; i++)
        if (sample->nodes[i].usage)
            node_rate(&sample->nodes[i], node_find(before, sample->nodes[i].node));
    for (size_t i = 0; i < sample->proc_count; i++) {
        struct top_proc *proc = &sample->procs[i];

        if (i == 0 || proc->node != proc[-1].node) {
            node = node_find(sample, proc->node);
            node_before = node_find(before, proc->node);
        }
        if (node)
            proc_rate(proc, node->usage, sample_find(before, proc->node, proc->usage->pid),
                      node_before);
        user_name(proc);
    }
}

int sample_take(struct sample *sample, const struct sample *before)
{
    int count, error;

    *sample = (struct sample) { .when = time(NULL) };
    count = bproc_usage(BPROC_NODE_ANY, &sample->usage);
    error = count < 0 ? -errno : nodes_fill(sample, count);
    if (!error)
        error = procs_fill(sample, count);
    if (!error)
        rates_fill(sample, before);
    else
        sample_free(sample);
    return error;
}

void sample_free(struct sample *sample)
{
    free(sample->nodes);
    free(sample->procs);
    free(sample->usage);
    tool_nodes_free(&sample->table);
    *sample = (struct sample) { 0 };
}
