/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one child of the receiver has for others: an image that comes for one process of a vector
 * and that another node may have, or the way to have its siblings forked. Whoever knows the word
 * gets the descriptor.
 *
 * Life of a share: given; taken any number of times, by who came before it as well, for some
 * seconds; forgotten with its transfer, and then whoever has taken an image is cut off; unless the
 * process counts by then: its image stays for a minute, for those who are late. Nothing here
 * blocks.
 */
#ifndef BPROC_SLAVED_SHARES_H
#define BPROC_SLAVED_SHARES_H

#include "common/conn.h"

void shares_init(struct event_base *base);

/* P_SHARE_GIVE and P_SHARE_TAKE, which is answered, perhaps later. 0 or -EPROTO. */
int share_give(struct conn *conn, const struct frame_header *header, const uint8_t *body, int *fds);
int share_take(struct conn *conn, const struct frame_header *header, const uint8_t *body);

/* The process whose transfer that is counts now. */
void shares_keep(const struct conn *conn);

/* The transfer is over. */
void shares_forget(const struct conn *conn);

#endif
