/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ghosts of this node: they stand in its process space for processes whose parent lives here and
 * who themselves live elsewhere. The master tells what becomes of those, and is told of the signals
 * that the ghosts get.
 *
 * Life of an entry: ghost_expect() when the process is about to run elsewhere; ghost_start() when
 * what it leaves here has become the ghost; what was told in between is kept for it. It ends with
 * the ghost's connection: by the exit it was told, by SIGKILL, which kills the process as well, or
 * by ghost_dismiss(). Nothing here blocks.
 */
#ifndef BPROC_SLAVED_GHOST_H
#define BPROC_SLAVED_GHOST_H

#include "common/conn.h"

/* 0, -EEXIST, -ENOMEM. */
int ghost_expect(int pid);

/* It will not come. Nothing if it is there. */
void ghost_forget(int pid);

/* Answers the call when the ghost is there; at once when it is, or has been. */
void ghost_await(int pid, struct conn *conn, const struct frame_header *asked);

/* The connection of one who waits so is over. */
void ghost_waiter_gone(const struct conn *conn);

/*
 * The ghost `pid`, to us process `task`, is at the other end of `conn`. 0: that and `pidfd` are
 * taken over; -ENOENT when nobody expected it, or it is there already.
 */
int ghost_start(int pid, pid_t task, struct conn *conn, int pidfd);

/* From the master: P_GHOST_EXIT, P_GHOST_STOP, P_GHOST_CONT, P_GHOST_GROUP. 0 or -EPROTO. */
int ghost_message(const struct frame_header *header, const uint8_t *body);

/*
 * Its process has ended so. Nothing when there is no such ghost. Signals that the process sent its
 * parent before that, which go through the space, come first: so the ghost hears of it when each
 * space has answered, by ghost_goes().
 */
void ghost_end(int pid, int status);
void ghost_goes(uint32_t pid);

/* It goes without a word to anybody. */
void ghost_dismiss(int pid);

int ghost_is_known(int pid);

/*
 * Whether what remains of process `task`, which has gone elsewhere, is needed here: by a parent
 * that is a real one, or by children, other than `except`, that are no ghosts.
 */
int ghost_is_needed(pid_t task, pid_t except);

/* What a P_HELLO lists: *list malloc'd. 0 or -ENOMEM. */
int ghost_list(ghost_record **list, unsigned *count);

#endif
