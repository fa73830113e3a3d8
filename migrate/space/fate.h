/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What slaved hears of the processes of the space: how those that were launched end and stop, what
 * the census finds, which signals keepers pass on.
 *
 * The end of an entry (registry.h) is told when it has been reaped, or when it was killed and
 * nothing is left that could make it. All calls are init's; each blocks for one message at most.
 */
#ifndef BPROC_SPACE_FATE_H
#define BPROC_SPACE_FATE_H

#include "migrate/space/registry.h"
#include "proto/msg.h"

#define SLAVED 3        /* the descriptor that leads there */

void fate_status(bproc_proc event, pid_t pid, int status);
void fate_signal(const signal_msg *signal);
void fate_born(const born_msg *born);
void fate_group(const group_msg *group);

/* Both are a reap_fn: what became of any process that a keeper has reaped, or init itself. */
void fate_report(bproc_proc event, pid_t pid, int status);
void fate_reaped(bproc_proc event, pid_t pid, int status);

/* Kills it, or CRIU while that makes it; the entry goes when there is neither. */
void fate_kill(struct entry *entry);

#endif
