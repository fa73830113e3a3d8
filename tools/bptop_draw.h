/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What bptop shows on a terminal and where the user stands in it.
 */
#ifndef TOOLS_BPTOP_DRAW_H
#define TOOLS_BPTOP_DRAW_H

#include "tools/bptop_format.h"

struct screen {
    struct view view;
    double delay;
    bool color;
    bool help;                  /* the keys are shown instead */
    bool done;
    struct sample sample;
    struct picture picture;
    size_t selected;            /* index of a process of the picture */
    size_t first;               /* the first that is shown */
    size_t rows;                /* how many were */
    char message[FORMAT_MAX];   /* shown until the next key */
};

/* Prepares colours, after initscr(). */
void draw_start(const struct screen *screen);

/* Draws all; keeps the selected process in sight. */
void draw_all(struct screen *screen);

/* The bottom line alone: a question and what was typed so far. */
void draw_prompt(const char *question, const char *typed);

#endif
