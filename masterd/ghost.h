/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ghosts' connections. A ghost begins when a process at the gate has become one (move.c), or
 * when one comes back after a restart of ours; then it waits for the node to name its process. It
 * forwards signals to the process and hears of stops and of the exit. Its end, whatever the cause,
 * releases its process (proctable.h); losing the node ends it by SIGKILL.
 *
 * A stop by SIGSTOP shows in no signalfd, so each ghost is traced (trace.h).
 */
#ifndef MASTERD_GHOST_H
#define MASTERD_GHOST_H

#include "common/conn.h"
#include "masterd/caller.h"

struct ghost;
struct proc;
struct rights;

/*
 * Takes over `conn` and `pidfd` for the ghost of a registered process, which ghost_claim() then
 * gives it. -EEXIST when the process passes for a ghost already, -ENOMEM: both stay the caller's.
 */
int ghost_start(struct conn *conn, int pidfd, pid_t pid, pid_t ppid, int node);

/*
 * A client says it is a ghost coming back. 0: the connection is taken over. -EPERM when it is not
 * what it says, -EEXIST, -ENOMEM.
 */
int ghost_reconnect(struct conn *conn, const struct caller *caller, const ghost_hello_arg *hello);

/* There is a process: its ghost, if it waits, gets it. */
void ghost_claim(struct proc *proc, int pid, int node);

/* Ghosts that still wait for a process on this node have a few seconds left. */
void ghosts_hurry(int node);

void ghost_tell_exit(struct ghost *ghost, int status);
void ghost_tell_stop(struct ghost *ghost, int stopped, int status);

/* Its process has another group or session now. */
void ghost_tell_group(struct ghost *ghost, const group_msg *group);

/* To see to a ghost of that number; birth_forked() hears what became of it. 0 or -errno. */
int ghost_tell_fork(struct ghost *ghost, pid_t pid);

/* The ghost with that number, or NULL. */
struct ghost *ghost_of(pid_t pid);

/* What it may do, which is what its process might when it was sent away; held for the caller. */
struct rights *ghost_rights(const struct ghost *ghost);

/* Its parent, 0 if that is not known. */
int ghost_ppid(const struct ghost *ghost);

/* It reads nothing then. */
int ghost_is_stopped(const struct ghost *ghost);

/* Its number is needed: ends one that came back to no process, if none can come any more. */
void ghost_make_way(pid_t pid);

/* Its process is on that node from now on. */
void ghost_move(struct ghost *ghost, int node);

/* SIGKILL; its connection closes by itself. The process is no longer its. */
void ghost_kill(struct ghost *ghost);

/* It has been told the exit and its process is forgotten: nothing is to be done at its end. */
void ghost_detach(struct ghost *ghost);

/* Whether that pid is a bproc-ghost now. */
int ghost_is_alive(pid_t pid);

#endif
