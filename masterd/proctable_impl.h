/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the process table share; nobody else includes this. proctable.c has the table
 * and the life of an entry, procreport.c takes what nodes tell.
 */
#ifndef MASTERD_PROCTABLE_IMPL_H
#define MASTERD_PROCTABLE_IMPL_H

#include <uthash.h>

#include "masterd/proctable.h"

#define GHOST_SECONDS 15        /* for a ghost to come back after our restart */

struct proc_key {
    int pid;
    int node;
};

struct proc {
    struct proc_key key;
    UT_hash_handle hh;
    struct ghost *ghost;
    int exited, status;
    int stopped, stop_status;
    int condemned;
    int adopted;                /* from a HELLO */
    struct owner *owner;        /* born on the node; else NULL */
    int expected;               /* a ghost will be made */
    int made;                   /* somebody was told to make it */
    group_msg group;            /* as the process has made it; pid 0: nothing of the kind */
    int ppid;                   /* 0: not known */
    struct rights *rights;      /* NULL: not known */
    struct stay *stay;          /* NULL: forked there, or not known */
    int born;                   /* forked where it is */
    struct event *on_deadline;
};

extern struct proc *proctable_all;

/* The condemned ones, too. */
struct proc *proc_entry(int pid, int node);

void proc_free(struct proc *proc);

/* Its end was reported and nobody waits for it any more: the node may forget it, and so do we. */
void proc_finish(struct proc *proc);

#endif
