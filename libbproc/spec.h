/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a program needs to start on a node as if it did here: exec_spec, in a memory file. */
#ifndef BPROC_SPEC_H
#define BPROC_SPEC_H

#include <stdint.h>

#include "libbproc/io.h"

/*
 * A sealed, close-on-exec memory file with the program, the caller's circumstances, `blocked` as
 * the signal mask, and the files of `io`. The caller closes it. -errno: -ENAMETOOLONG, -E2BIG,
 * -ENOMEM, -EMFILE. Does not block.
 */
int spec_write(const char *cmd, char *const argv[], char *const envp[], const struct io *io,
               uint64_t blocked);

#endif
