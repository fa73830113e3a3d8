/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the forms of bproc_rexec() and bproc_execmove() come down to; as these, but -errno. */
#ifndef BPROC_REXEC_H
#define BPROC_REXEC_H

#include "libbproc/io.h"

int rexec_run(int node, int flags, const struct io *io, const char *cmd, char *const argv[],
              char *const envp[]);
int execmove_run(int node, int flags, const struct io *io, const char *cmd, char *const argv[],
                 char *const envp[]);

#endif
