/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root of the processes to come is changed by order of the master.
 *
 * Life: root_take() looks at the folder and asks the space; root_made() has its answer, gives the
 * new root to the receiver, which compares files there, and answers the order. One at a time.
 */
#ifndef BPROC_SLAVED_ROOT_H
#define BPROC_SLAVED_ROOT_H

#include "proto/frame.h"

/* A P_NODE_CHROOT call of the master. */
void root_take(const struct frame_header *header, const uint8_t *body);

/* The space's answer, with the new root in fds[0] if it is a good one. */
void root_made(const struct frame_header *header, const uint8_t *body, int *fds);

#endif
