/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes that were launched into the space and whose fate slaved is told. Everything else
 * that runs here (their children, CRIU) is reaped without a word.
 *
 * An entry lives from the launch until the process has been reaped, or until it is certain that
 * CRIU will never make it.
 */
#ifndef BPROC_SPACE_REGISTRY_H
#define BPROC_SPACE_REGISTRY_H

#include <stdbool.h>
#include <sys/types.h>
#include <uthash.h>

struct keeper;

struct entry {
    pid_t pid, pgid, sid;       /* as it was launched */
    struct keeper *keeper;      /* its parent; NULL: init is */
    pid_t worker;               /* CRIU while it works on it; else 0 */
    bool killed;                /* SIGKILL was asked for */
    UT_hash_handle hh;
};

/* NULL when there is one with that pid, or no memory. */
struct entry *registry_add(pid_t pid);

/* Who its parent is; NULL: init. */
void registry_set_keeper(struct entry *entry, struct keeper *keeper);

/* NULL when unknown. */
struct entry *registry_find(pid_t pid);
struct entry *registry_find_worker(pid_t worker);

bool registry_is_empty(void);

/* Ends an entry; its keeper may have become unused by it. NULL is allowed. */
void registry_remove(struct entry *entry);

/* Calls `visit`, which may remove the entry it is given. */
void registry_each(void (*visit)(struct entry *entry));

/* The keeper has gone: its processes are init's children now. */
void registry_forget_keeper(const struct keeper *keeper);

#endif
