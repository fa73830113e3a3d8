/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may come from another node: the master says so before he comes (P_EXPECT), and he shows a
 * ticket. Each is good once and for a minute. Nothing here blocks.
 */
#ifndef BPROC_SLAVED_TICKETS_H
#define BPROC_SLAVED_TICKETS_H

#include "common/conn.h"

void tickets_init(struct event_base *base);

/* The master's P_EXPECT. 0 or -EPROTO. */
int ticket_expect(const struct frame_header *header, const uint8_t *body);

/*
 * Answers a receiver's P_RECV_TICKET, perhaps later: the master's word may take longer than the
 * guest. -EPROTO when it does not decode.
 */
int ticket_ask(struct conn *conn, const struct frame_header *header, const uint8_t *body);

/* The receiver has gone. */
void ticket_forget(const struct conn *conn);

#endif
