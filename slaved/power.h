/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine itself is to reboot, halt or switch itself off: the master says so, what is done is
 * this node's own configuration. A node that cannot switch itself off halts.
 *
 * Life: power_take() starts the command; when it has failed the call is refused with the reason,
 * when it has succeeded the call is answered, and the machine ends whenever it does.
 */
#ifndef BPROC_SLAVED_POWER_H
#define BPROC_SLAVED_POWER_H

#include "common/conf.h"
#include "proto/frame.h"

/* The configuration is kept, not copied. */
void power_init(const struct conf *conf);

/* A P_NODE_POWER call of the master. */
void power_take(const struct frame_header *header, const uint8_t *body);

#endif
