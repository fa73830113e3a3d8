/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other half of keeper.h: what runs in the keeper's own process.
 */
#ifndef BPROC_SPACE_KEEPER_CHILD_H
#define BPROC_SPACE_KEEPER_CHILD_H

/* Serves `channel` until it is told to leave or init has gone. All other descriptors are closed. */
void keeper_child_run(int channel) __attribute__((noreturn));

#endif
