/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs of pages as a peer names them, who is not believed. */
#ifndef BPROC_MEMORYRUNS_H
#define BPROC_MEMORYRUNS_H

#include <stddef.h>

#include "proto/bproc.h"

/* How many pages they have, all of a batch; 0: they are none. */
size_t memoryruns_pages(const page_run *runs, unsigned count);

#endif
