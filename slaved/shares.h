/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one child of the receiver has for others: memory that comes for one process of a vector and
 * that another node may have, the way to have its siblings forked, or the way to who restores a
 * process, for who brings its memory. Whoever knows the word gets the descriptors.
 *
 * Life of a share: given; taken for a minute, by who came before it as well: the way to siblings
 * any number of times, memory and the way to it once, as one node follows another, and its
 * descriptors are the taker's alone from then on. It is forgotten when its process counts, which
 * runs then, and whoever has taken something goes on; or with its transfer, and whoever has taken
 * memory is cut off by that. Nothing here blocks.
 */
#ifndef BPROC_SLAVED_SHARES_H
#define BPROC_SLAVED_SHARES_H

#include "common/conn.h"

void shares_init(struct event_base *base);

/* P_SHARE_GIVE and P_SHARE_TAKE, which is answered, perhaps later. 0 or -EPROTO. */
int share_give(struct conn *conn, const struct frame_header *header, const uint8_t *body, int *fds);
int share_take(struct conn *conn, const struct frame_header *header, const uint8_t *body);

/* The process whose transfer that is counts now. */
void shares_settle(const struct conn *conn);

/* The transfer is over. */
void shares_forget(const struct conn *conn);

#endif
