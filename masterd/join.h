/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine joins: it shows a token, we sign its key for a node number and remember the certificate
 * as that node's only good one.
 */
#ifndef MASTERD_JOIN_H
#define MASTERD_JOIN_H

#include "common/conn.h"
#include "masterd/nodetable.h"

/*
 * Answers P_JOIN on `conn` (with a certificate or with why not; both are logged under `name`).
 * 0, or -EPROTO when it does not decode. Blocks for the disk.
 */
int join_answer(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                uint32_t addr, const char *name);

/* Whether the peer shows the certificate that the node was given last (or none is on record). */
int join_certificate_is_current(const struct node *node, SSL *ssl);

#endif
