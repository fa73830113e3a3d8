/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bptop_view.h"
#include "tools/nodespec.h"
#include "tools/tool.h"

static const char *const sort_names[SORT_FIELDS] = {
    [SORT_CPU] = "cpu", [SORT_MEMORY] = "mem", [SORT_TIME] = "time", [SORT_PID] = "pid",
    [SORT_NODE] = "node", [SORT_USER] = "user", [SORT_COMMAND] = "command"
};

int view_sort_find(const char *name)
{
    for (int i = 0; i < SORT_FIELDS; i++)
        if (strcmp(name, sort_names[i]) == 0)
            return i;
    return -1;
}

const char *view_sort_name(enum view_sort sort)
{
    return sort_names[sort];
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/* Amounts begin with the largest, names and numbers with the smallest. */
static int field_compare(const struct top_proc *a, const struct top_proc *b, enum view_sort sort)
{
    switch (sort) {
    case SORT_CPU: return COMPARE(b->cpu, a->cpu);
    case SORT_MEMORY: return COMPARE(b->usage->rss, a->usage->rss);
    case SORT_TIME: return COMPARE(b->usage->cpu_ms, a->usage->cpu_ms);
    case SORT_PID: return COMPARE(a->usage->pid, b->usage->pid);
    case SORT_USER: return strcmp(a->user, b->user);
    case SORT_COMMAND: return strcmp(a->usage->command, b->usage->command);
    default: return COMPARE(a->node, b->node);
    }
}

static int proc_compare(const void *a, const void *b, void *arg)
{
    const struct top_proc *left = *(const struct top_proc *const *)a;
    const struct top_proc *right = *(const struct top_proc *const *)b;
    const struct view *view = arg;
    int result = field_compare(left, right, view->sort);

    if (view->reverse)
        result = -result;
    if (result == 0)
        result = COMPARE(left->node, right->node);
    return result ? result : COMPARE(left->usage->pid, right->usage->pid);
}

static int is_users(const struct top_proc *proc, const char *user)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", proc->usage->uid);
    return !*user || strcmp(user, proc->user) == 0 || strcmp(user, number) == 0;
}

static void picture_fill(struct picture *picture, const struct view *view,
                         const struct sample *sample, const struct nodeset *set)
{
    int all = !*view->nodes;

    for (size_t i = 0; i < sample->node_count; i++)
        if (all || nodeset_has(set, sample->nodes[i].node))
            picture->nodes[picture->node_count++] = &sample->nodes[i];
    for (size_t i = 0; i < sample->proc_count; i++)
        if ((all || nodeset_has(set, sample->procs[i].node)) &&
            is_users(&sample->procs[i], view->user))
            picture->procs[picture->proc_count++] = &sample->procs[i];
    qsort_r(picture->procs, picture->proc_count, sizeof(*picture->procs), proc_compare,
            (void *)(uintptr_t)view);
}

static int nodes_check(const struct nodeset *set, const struct tool_nodes *table, char *text,
                       size_t len)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->nodes[i] != BPROC_NODE_MASTER && !tool_nodes_find(table, set->nodes[i])) {
            snprintf(text, len, "%d: %s", set->nodes[i], tool_reason(BE_INVALIDNODE));
            return -EINVAL;
        }
    return 0;
}

int view_user_check(const char *user, char *text, size_t len)
{
    if (!*user || !user[strspn(user, "0123456789")] || getpwnam(user))
        return 0;
    snprintf(text, len, "there is no user %s", user);
    return -ENOENT;
}

int view_make(struct picture *picture, const struct view *view, const struct sample *sample,
              char *text, size_t len)
{
    struct nodeset set = { 0 };
    int error = 0;

    *picture = (struct picture) { 0 };
    if (*view->nodes)
        error = nodespec_add(&set, view->nodes, &sample->table, text, len);
    if (!error)
        error = nodes_check(&set, &sample->table, text, len);
    if (!error) {
        picture->nodes = calloc(sample->node_count + 1, sizeof(*picture->nodes));
        picture->procs = calloc(sample->proc_count + 1, sizeof(*picture->procs));
    }
    if (!error && picture->nodes && picture->procs) {
        picture_fill(picture, view, sample, &set);
    } else if (!error) {
        error = -ENOMEM;
        snprintf(text, len, "out of memory");
        view_free(picture);
    }
    nodeset_free(&set);
    return error;
}

void view_free(struct picture *picture)
{
    free(picture->nodes);
    free(picture->procs);
    *picture = (struct picture) { 0 };
}
