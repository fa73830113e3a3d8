/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/bproc.h>

#include "tools/bprun_load.h"

/* Loads per CPU that differ by less are the same. */
#define STEPS 10
#define STEPS_MOST 1000000      /* whatever a node says */

static int running_count(const struct bproc_usage_t *usage)
{
    int running = 0;

    for (int i = 0; i < usage->count; i++)
        running += usage->list[i].state == 'R' || usage->list[i].state == 'D';
    return running;
}

static int processes_count(const struct bproc_proc_info_t *procs, int count, int node)
{
    int found = 0;

    for (int i = 0; i < count; i++)
        found += procs[i].node == node;
    return found;
}

/*
 * The load average comes late: it says nothing about what began a moment ago. Processes that are
 * too young for the figures are taken to be busy.
 */
static void load_fill(struct load *load, const struct bproc_usage_t *usage, int processes)
{
    int young = processes > usage->processes ? processes - usage->processes : 0;
    double busy = running_count(usage) + young;

    load->node = usage->node;
    load->cpus = usage->cpus > 0 ? usage->cpus : 1;
    load->running = busy > usage->load[0] ? busy : usage->load[0];
    load->processes = processes;
}

int load_fetch(struct load_list *list)
{
    struct bproc_usage_t *usages;
    struct bproc_proc_info_t *procs;
    int count = bproc_usage(BPROC_NODE_ANY, &usages);
    int nprocs = count < 0 ? 0 : bproc_proclist(BPROC_NODE_ANY, &procs);

    *list = (struct load_list) { 0 };
    if (count < 0)
        return -errno;
    if (nprocs < 0) {
        int error = -errno;

        free(usages);
        return error;
    }
    list->loads = calloc((size_t)count + 1, sizeof(*list->loads));
    for (int i = 0; i < count && list->loads; i++)
        load_fill(&list->loads[list->count++], &usages[i],
                  processes_count(procs, nprocs, usages[i].node));
    free(usages);
    free(procs);
    return list->loads ? 0 : -ENOMEM;
}

static int load_steps(const struct load *load)
{
    double steps = load->running / load->cpus * STEPS;

    /* No number at all is no reason to send somebody there. */
    if (!(steps < STEPS_MOST))
        return STEPS_MOST;
    return steps > 0 ? (int)steps : 0;
}

static int order(const struct load *load)
{
    return load->node == BPROC_NODE_MASTER ? INT_MAX : load->node;
}

static int better(const struct load *a, const struct load *b)
{
    if (load_steps(a) != load_steps(b))
        return load_steps(a) < load_steps(b);
    if (a->processes != b->processes)
        return a->processes < b->processes;
    return order(a) < order(b);
}

struct load *load_take(struct load_list *list, const char *usable)
{
    struct load *best = NULL;

    for (size_t i = 0; i < list->count; i++)
        if (usable[i] && (!best || better(&list->loads[i], best)))
            best = &list->loads[i];
    if (best) {
        best->running = best->running > 0 ? best->running + 1 : 1;
        best->processes++;
    }
    return best;
}

const struct load *load_find(const struct load_list *list, int node)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->loads[i].node == node)
            return &list->loads[i];
    return NULL;
}

void load_free(struct load_list *list)
{
    free(list->loads);
    *list = (struct load_list) { 0 };
}
