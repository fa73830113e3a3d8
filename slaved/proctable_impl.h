/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the process table share; nobody else includes this. proctable.c has the table
 * and who goes into it and out, procend.c does what is due when a process counts, ends or is
 * forgotten, procreport.c takes what the space tells.
 */
#ifndef BPROC_SLAVED_PROCTABLE_IMPL_H
#define BPROC_SLAVED_PROCTABLE_IMPL_H

#include <stdbool.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(proc) ((proc)->pid = 0)
#include <uthash.h>

#include "slaved/early.h"
#include "slaved/proctable.h"

struct proc {
    pid_t pid;
    pid_t ppid;                 /* as it was launched; 0: it was not */
    struct transfer *transfer;  /* NULL when it has ended */
    uint32_t launch;            /* serial at the space; 0: it was not launched */
    uid_t uid;                  /* with `committed` */
    bool second;                /* in the second space */
    bool is_double;
    bool committed;
    bool exited;
    bool draining;              /* the transfer was told of the end */
    bool drained;               /* what it wrote has been delivered, nothing follows */
    bool speaks;                /* the transfer carries what it writes */
    bool unheard;               /* it broke off before the end: something may be lost */
    bool reported;              /* over the present link */
    bool detached;              /* its end as told was none; what follows is no news */
    bool acknowledged;          /* detached: the master has forgotten it */
    bool held;                  /* has ended; how, its parent's ghost will say */
    bool killed;                /* the master wants it gone: its output waits for nobody */
    group_msg group;            /* as the process has made it since the launch; pid 0: it has not */
    born_msg *born;             /* NULL: it came here */
    struct early *early;        /* signals for its parent, before `committed` */
    bool has_forked;            /* before `committed`: the master is to hear of it then */
    bool doubtful;              /* born: the master may not have believed that it is anybody's */
    unsigned stale_acks;        /* due over the present link to those who had the number before */
    int status;                 /* of the end; before: of a stop not yet told, or 0 */
    UT_hash_handle hh;
};

extern struct proc *proctable_all;

/* NULL: there is none. By number; the double of that number; the one that a transfer has. */
struct proc *proc_find(pid_t pid);
struct proc *proc_double(pid_t pid);
struct proc *proc_carried(pid_t pid, const struct transfer *transfer);

/* The one that is in the second space, or in the first. */
struct proc *proc_in(pid_t pid, int second);

void proc_remove(struct proc *proc);

/* Tells the master of those that it has forked before it counted. Who is told of counts, too. */
void proc_tell_children(struct proc *parent);

/*
 * Tells the master again of what it may not have believed: that user has a process here now, which
 * counts, and root's may be anybody's.
 */
void proc_tell_doubtful(uid_t uid);

/* Tells the master what became of it. */
void proc_tell(bproc_proc event, pid_t pid, int status);

/* Does the next thing that is due for an ended process; it may be gone afterwards. */
void proc_settle(struct proc *proc);

#endif
