/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the beginning (keeper.c) and the end (keeper_end.c) of a keeper share. */
#ifndef BPROC_SPACE_KEEPER_IMPL_H
#define BPROC_SPACE_KEEPER_IMPL_H

#include "migrate/space/keeper.h"
#include "migrate/space/registry.h"

extern unsigned keeper_count;

/* One that can be asked; NULL. */
struct keeper *keeper_find(pid_t ppid);

void keeper_close(struct keeper *keeper);

/*
 * Asks and waits for the answer, taking in what the keeper reports meanwhile. 0 with *answer,
 * which is the caller's, if that is not NULL; the keeper's -errno; -EPIPE when it is not there,
 * -EAGAIN when it goes over this.
 */
int keeper_call(struct keeper *keeper, bproc_proc proc, xdrproc_t encode, const void *body,
                const int *fds, unsigned nfds, struct msg *answer);

/* It stands for who had its number before, in another session than `sid`, and nobody needs it. */
bool keeper_is_outlived(const struct keeper *keeper, pid_t sid);

/* One that shows in no signalfd; who sent it nobody knows, but that he might signal the parent. */
void keeper_signal_guess(const struct keeper *keeper, int signo);

#endif
