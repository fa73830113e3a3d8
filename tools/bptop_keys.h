/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the keys of bptop do. */
#ifndef TOOLS_BPTOP_KEYS_H
#define TOOLS_BPTOP_KEYS_H

#include "tools/bptop_draw.h"

/*
 * Obeys a key of curses. True if there is to be a new sample. Blocks while the user answers a
 * question; a signal counts as no answer.
 */
bool keys_obey(struct screen *screen, int key);

#endif
