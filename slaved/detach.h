/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process of this node leaves the cluster's process space and runs on here, known to nobody. */
#ifndef BPROC_SLAVED_DETACH_H
#define BPROC_SLAVED_DETACH_H

#include "common/conn.h"

/* Answers P_DETACH of a local client. */
void detach_take(struct conn *conn, const struct frame_header *header, const uint8_t *body);

#endif
