/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other half of keeper.h: what runs in the keeper's own process.
 */
#ifndef BPROC_SPACE_KEEPER_CHILD_H
#define BPROC_SPACE_KEEPER_CHILD_H

#include <stdbool.h>

/*
 * Serves `channel` until it is told to leave or init has gone. All other descriptors are closed.
 * `lead`: in a session of its own.
 */
void keeper_child_run(int channel, bool lead) __attribute__((noreturn));

#endif
