/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls of local clients that only the master can answer: passed on in the caller's name, one of
 * each client's at a time. A call ends with the master's answer, or with EBUSY when the link goes.
 * Nothing here blocks.
 */
#ifndef BPROC_SLAVED_PASS_H
#define BPROC_SLAVED_PASS_H

#include "common/conn.h"

/* Passes on a call; its client gets an answer in any case, or loses `conn`. */
void pass_call(struct conn *conn, const struct frame_header *header, const uint8_t *body);

/* The client will not read its answer. */
void pass_client_gone(const struct conn *conn);

/* The master's answer to a call that was passed on. */
void pass_answered(const struct frame_header *header, const uint8_t *body);

/* The link has gone: nothing that was passed on will be answered. */
void pass_link_down(void);

#endif
