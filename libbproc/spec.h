/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a program needs to start on a node as if it did here: exec_spec, in a memory file. */
#ifndef BPROC_SPEC_H
#define BPROC_SPEC_H

#include <limits.h>
#include <stdint.h>

#include "libbproc/io.h"

#define SPEC_LIMITS 32

/* What a program is to find as its caller has it. */
struct circumstances {
    char cwd[PATH_MAX];
    unsigned umask_bits;
    int nice_value;
    uint64_t ignored, blocked;          /* signals */
    limit_pair limits[SPEC_LIMITS];
    unsigned limit_count;
};

/* Those of this process at this moment, with `blocked` as the signal mask. */
void circumstances_note(struct circumstances *now, uint64_t blocked);

/*
 * A sealed, close-on-exec memory file with the program, its circumstances, and the files of `io`.
 * The caller closes it. -errno: -ENAMETOOLONG, -E2BIG, -EFBIG, -ENOMEM, -EMFILE. Does not block.
 */
int spec_write(const struct circumstances *now, const char *cmd, char *const argv[],
               char *const envp[], const struct io *io);

#endif
