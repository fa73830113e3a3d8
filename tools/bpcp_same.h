/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is what a copy is about to write the very thing that it reads? Asked where both ends of it are on
 * one machine; what an entry's device and inode name on another one says nothing here.
 */
#ifndef TOOLS_BPCP_SAME_H
#define TOOLS_BPCP_SAME_H

#include <stdbool.h>

#include "proto/copy.h"

/* Does `path` lead to the file of `entry`? Also by another of its names. */
bool same_file(const char *path, const copy_entry *entry);

/*
 * Is `path`, which need not be there yet, the directory of `entry` or inside of it? A copy to there
 * would find itself among what it copies, and so on without an end.
 */
bool same_tree(const char *path, const copy_entry *entry);

#endif
