/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine joins: it shows a token, we sign its key for a node number and remember the certificate
 * as that node's only good one. Those who come within a moment are gathered and written to the disk
 * together, before any of them is answered.
 */
#ifndef MASTERD_JOIN_H
#define MASTERD_JOIN_H

#include "common/conn.h"
#include "masterd/nodetable.h"

/*
 * Takes P_JOIN on `conn`, which is answered from the loop (with a certificate or with why not; both
 * are logged under `name`) and then closed. 0, or -EPROTO when it does not decode or is the second.
 */
int join_begin(struct conn *conn, const struct frame_header *header, const uint8_t *body,
               uint32_t addr, const char *name);

/* The connection is gone: nothing is done for it. */
void join_cancel(const struct conn *conn);

void join_stop(void);

/* Whether the peer shows the certificate that the node was given last (or none is on record). */
int join_certificate_is_current(const struct node *node, SSL *ssl);

#endif
