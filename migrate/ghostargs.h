/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Becoming the ghost of a process that was forked on a node. */
#ifndef BPROC_GHOSTARGS_H
#define BPROC_GHOSTARGS_H

#include "proto/bproc.h"

/*
 * Executes the ghost's program with the process's command line and no descriptors but the standard
 * ones. `socket` is the daemon's, to which it connects by itself. Ends the process on failure.
 */
void ghostargs_exec(const ghost_fork_arg *birth, const char *socket) __attribute__((noreturn));

#endif
