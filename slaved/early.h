/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals that a process sends its parent, who is elsewhere, before the master knows of the
 * process: sent then they would be those of a child that there is not.
 *
 * Life: early_keep() while the process does not count yet; early_send() when it does, after that
 * was told and before its end is, or when it never will.
 */
#ifndef BPROC_SLAVED_EARLY_H
#define BPROC_SLAVED_EARLY_H

#include "proto/bproc.h"

struct early;

/* 1: it is kept at *early, made if that is NULL. 0: no room; it is to be sent now. */
int early_keep(struct early **early, const signal_msg *signal);

/* All of them to the master, in their order; *early is NULL then. That is allowed before, too. */
void early_send(struct early **early);

#endif
