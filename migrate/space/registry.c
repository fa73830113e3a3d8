/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdlib.h>

/* uthash ends the process when it has no memory unless told otherwise; init may not end. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->pid = 0)

#include "migrate/space/keeper.h"
#include "migrate/space/registry.h"

static struct entry *entries;

struct entry *registry_find(pid_t pid)
{
    struct entry *entry;

    HASH_FIND_INT(entries, &pid, entry);
    return entry;
}

struct entry *registry_find_worker(pid_t worker)
{
    struct entry *entry, *next;

    HASH_ITER(hh, entries, entry, next)
        if (entry->worker == worker)
            return entry;
    return NULL;
}

bool registry_is_empty(void)
{
    return !entries;
}

struct entry *registry_add(pid_t pid)
{
    struct entry *entry = registry_find(pid) ? NULL : calloc(1, sizeof(*entry));

    if (!entry)
        return NULL;
    entry->pid = pid;
    HASH_ADD_INT(entries, pid, entry);
    if (entry->pid == 0) {
        free(entry);
        return NULL;
    }
    return entry;
}

void registry_set_keeper(struct entry *entry, struct keeper *keeper)
{
    if (entry->keeper)
        entry->keeper->users--;
    entry->keeper = keeper;
    if (!keeper)
        return;
    keeper->users++;
    keeper->childless = false;
}

void registry_remove(struct entry *entry)
{
    if (!entry)
        return;
    if (entry->keeper)
        entry->keeper->users--;
    HASH_DEL(entries, entry);
    free(entry);
}

void registry_each(void (*visit)(struct entry *entry))
{
    struct entry *entry, *next;

    HASH_ITER(hh, entries, entry, next)
        visit(entry);
}

void registry_forget_keeper(const struct keeper *keeper)
{
    struct entry *entry, *next;

    HASH_ITER(hh, entries, entry, next)
        if (entry->keeper == keeper)
            entry->keeper = NULL;
}
