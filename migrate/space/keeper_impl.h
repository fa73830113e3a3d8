/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the beginning of a keeper (keeper.c), what it is told and tells (keeper_talk.c) and its end
 * (keeper_end.c) share. */
#ifndef BPROC_SPACE_KEEPER_IMPL_H
#define BPROC_SPACE_KEEPER_IMPL_H

#include "migrate/space/keeper.h"
#include "migrate/space/registry.h"

extern unsigned keeper_count;

/* One that can be asked; NULL. */
struct keeper *keeper_find(pid_t ppid);

void keeper_close(struct keeper *keeper);

/* As keeper_init(). */
void keeper_talk_init(reap_fn *report, void (*signal)(const signal_msg *signal));

/* 0; -EPIPE when it has gone, and then all that it has said has been taken in. */
int keeper_ask(struct keeper *keeper, const struct errand *errand, const int *fds, unsigned nfds);

/*
 * Waits for the answer, and takes in what is reported before it. Its error; -EPIPE when the keeper
 * could not be made, or has left without having read what it was asked, as may who was to make it
 * (`leaving` then), -EAGAIN when it has gone otherwise.
 */
int keeper_answer(struct keeper *keeper, struct report *answer);

/*
 * Waits until it has said all that it has to say, and takes that in. 0; -EPIPE when the keeper is
 * not there, -EAGAIN when it goes over this.
 */
int keeper_hear(struct keeper *keeper);

/* It stands for who had its number before, in another session than `sid`, and nobody needs it. */
bool keeper_is_outlived(const struct keeper *keeper, pid_t sid);

/* One that shows in no signalfd; who sent it nobody knows, but that he might signal the parent. */
void keeper_signal_guess(const struct keeper *keeper, int signo);

#endif
