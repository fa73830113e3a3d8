/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many children at once: what the forms of bproc_vrfork() and bproc_vexecmove() come down to; as
 * these, but -errno. `flags` may be DEPART_NO_FLAGS and is checked already.
 */
#ifndef BPROC_VECTOR_H
#define BPROC_VECTOR_H

#include "libbproc/io.h"

int vrfork_run(int nnodes, const int *nodes, int *pids, int flags, const struct io *io);
int vexecmove_run(int nnodes, const int *nodes, int *pids, int flags, const struct io *io,
                  const char *cmd, char *const argv[], char *const envp[]);

#endif
