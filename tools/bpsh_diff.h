/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How outputs of nodes differ, as diff(1) shows it. */
#ifndef TOOLS_BPSH_DIFF_H
#define TOOLS_BPSH_DIFF_H

#include "tools/bpsh_collect.h"

/*
 * Compares each group with the largest one and prints the differences to stdout; nothing when all
 * are equal. 0, or -errno when that cannot be done, -EIO when diff(1) itself failed or is not
 * there. Blocks for diff(1).
 */
int diff_print(const struct collection *collection);

#endif
