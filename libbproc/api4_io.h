/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BProc 4's lists of I/O, for the library. Include it with BPROC_API_VERSION defined as 4. */
#ifndef BPROC_API4_IO_H
#define BPROC_API4_IO_H

#include <sys/bproc.h>

#include "libbproc/io.h"

/* `list` and `len` as for _bproc_rfork_io(). 0, -EINVAL, -EFAULT. Does not block. */
int io_from_list(struct io *io, const struct bproc_io_t *list, int len);

#endif
