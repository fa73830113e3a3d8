/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes of this node that leave for another one or for the master: slaved's part in
 * moves/move.h. The master decides, over the link; what is to be seen of the process here is seen
 * here.
 */
#ifndef BPROC_SLAVED_DEPART_H
#define BPROC_SLAVED_DEPART_H

#include "moves/mover.h"

/* Starts the mover. The settings are kept, not copied. 0, or -errno with a reason in text[len]. */
int depart_start(struct event_base *base, const struct mover_settings *settings, char *text,
                 size_t len);
void depart_stop(void);

/* The master's answers, and P_DEPART_FAILED. 0 or -EPROTO. */
int depart_message(const struct frame_header *header, const uint8_t *body);

/* The link has gone, and with it all answers. */
void depart_link_down(void);

#endif
