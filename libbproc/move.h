/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the forms of bproc_move() come down to. */
#ifndef BPROC_MOVE_H
#define BPROC_MOVE_H

#include "libbproc/io.h"

/* As _bproc_move_io(), but -errno; `flags` may be DEPART_NO_FLAGS. */
int move_run(int node, int flags, const struct io *io);

/* In a process that was restored under another number: libc's word for it. */
void move_number_refresh(void);

#endif
