/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bptop without a terminal: text or JSON on stdout, for scripts. */
#ifndef TOOLS_BPTOP_BATCH_H
#define TOOLS_BPTOP_BATCH_H

#include "tools/bptop_view.h"

/* Prints a picture; `color`: its headings get one. */
void batch_print(const struct sample *sample, const struct picture *picture,
                 const struct view *view, bool color);

/* The same as one object on one line. */
void batch_json(const struct sample *sample, const struct picture *picture,
                const struct view *view);

#endif
