/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The library list: which mapped files of a process are libraries, which by default are not sent
 * but expected on the node. Everything else that is mapped is data, and sent. Patterns for whole
 * paths, at first those of all shared objects. Kept in STATE/libraries, a line each.
 */
#ifndef MASTERD_LIBRARIES_H
#define MASTERD_LIBRARIES_H

#include "proto/bproc.h"

/* 0, or -errno with a reason in text[len]. Blocks for the disk. */
int libraries_start(char *text, size_t len);
void libraries_stop(void);

/* Borrowed, until the next change. */
const lib_list *libraries_list(void);

/*
 * What is there already is added once. 0; -ENOENT: not there to be deleted; -ENOSPC: too many;
 * -EINVAL: neither a path nor a pattern; -errno of the disk, and nothing has changed. Blocks for
 * the disk.
 */
int libraries_change(const lib_change_arg *arg);

#endif
