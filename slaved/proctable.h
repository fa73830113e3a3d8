/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes of this node and what is owed to whom about them.
 *
 * Life of an entry: proc_add() when a transfer asks for the launch; committed when the transfer
 * says that the process counts; exited when the space says so. Then its transfer gets the time to
 * deliver the output that is on its way (proc_drained(), or the transfer's end), after which the
 * master is told, again after each reconnect, until it acknowledges, or launches another process of
 * that number: then the entry goes. An entry that is abandoned before it was committed is killed
 * and goes without a word.
 *
 * A process that was forked on this node has no transfer and is committed with its parent, mostly
 * from the start; from then on the master hears of it, and again over each new link.
 *
 * A process that becomes another one, by an undump, is in its entry until that runs, which has one
 * of its own meanwhile, a double; proc_become() puts the double in the place of the first one.
 *
 * The program can be over before its transfer commits it: order of exit and commit does not matter.
 */
#ifndef BPROC_SLAVED_PROCTABLE_H
#define BPROC_SLAVED_PROCTABLE_H

#include <sys/types.h>

#include "proto/bproc.h"

struct conn;
struct transfer;

/*
 * `launch`: the serial of that at the space, `ppid`, `transfer`: 0 if it is not launched; `second`:
 * in that space. 0, -EEXIST or -ENOMEM.
 */
int proc_add(pid_t pid, pid_t ppid, struct transfer *transfer, uint32_t launch, int second);

/* The space has refused that launch. */
void proc_refused(uint32_t launch);

/* From the transfer; nothing happens when the entry is another's. */
void proc_commit(pid_t pid, const struct transfer *transfer, const commit_msg *commit);
void proc_drained(pid_t pid, const struct transfer *transfer);
void proc_abandon(pid_t pid, const struct transfer *transfer);

int proc_is_known(pid_t pid);

/* Whether it was sent here. *counts: its transfer is over, so that the master knows it as well. */
int proc_is_here(pid_t pid, int *counts);

/*
 * It runs elsewhere from now on: what happens to the process of that number here is no news. 1:
 * `channel`, which leads to the carrier of its streams to there, is taken over.
 */
int proc_leave(pid_t pid, struct conn *channel);

/*
 * The double runs from now on: as proc_leave() for who was there before. And if it is not to be.
 */
int proc_become(pid_t pid, struct conn *channel);
void proc_stay(pid_t pid);

/*
 * It leaves the process space, for the master by ending with `status`; here it runs on, and so do
 * the processes it makes, and nobody hears of them. 0 or -ENOMEM.
 */
int proc_detach(pid_t pid, int status);

/* From the space. */
void proc_status(bproc_proc event, pid_t pid, int status, int second);

/*
 * The end of a child that its parent's ghost has reaped; 1 when it is one of ours. And what is held
 * back for such a word is told without it: the parent has gone, or stays what it is.
 */
int proc_child_ended(pid_t pid, int status);
void proc_unhold(pid_t ppid);

/* Forked on this node, and what that or another one has made of its group. */
void proc_born(const born_msg *born, int second);

/* A signal for a parent who is elsewhere; it waits if the master does not know the child yet. */
void proc_signals_parent(const signal_msg *signal);
void proc_group(const group_msg *group, int second);

/* From the master. A signal to a process unknown here is answered with its end. */
void proc_signal(const signal_msg *signal);
void proc_acknowledged(pid_t pid);

/* What a P_HELLO lists: *procs and *born malloc'd. 0 or -ENOMEM. */
int proc_list(launch_done **procs, u_int *count);
int proc_list_born(int **born, u_int *count);

/* Tells the master again what it has not acknowledged. */
void proc_report_all(void);

/* Ends every process of the space. */
void proc_kill_all(void);

unsigned proc_count(void);

#endif
