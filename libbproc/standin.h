/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands for a remote process in its first moments: a child that shares its parent's memory
 * and has nothing of its own but the gate. Most commands have ended before a ghost, which is a
 * program, is executed and ended again; that was a third of their processor time here.
 *
 * Life: standin_start() makes it, with all signals blocked, by which a node's census
 * (migrate/space/census.c) knows that it is no process yet. Who hands it over says that what will
 * be the ghost is there. It waits at its gate for the daemon's verdict and then for the end of the
 * process, which it ends as. If that lasts longer than some milliseconds, or anything else comes,
 * it executes the ghost, which finds signals and messages as they came and goes on where this one
 * was. If the daemon goes without a verdict both end by SIGKILL, as any exit status could be that
 * of a process.
 */
#ifndef BPROC_STANDIN_H
#define BPROC_STANDIN_H

#include <sys/types.h>

#include "libbproc/spec.h"

/*
 * Starts it: `gate` is copied, and `argv`, which ps shows of the ghost. Its number, with *memory,
 * for standin_free() when it has ended; or -errno: there is no child. Does not block. One thread at
 * a time.
 */
pid_t standin_start(int gate, int node, char *const argv[], const struct circumstances *now,
                    void **memory);

/* Its memory is for the next one. NULL: nothing. */
void standin_free(void *memory);

#endif
