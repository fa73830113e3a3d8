/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process on its way to this node: our end of the socket to the receiver's child that takes it
 * in and afterwards relays its streams.
 *
 * A process that goes on to another machine leaves its transfer behind, as what it has for streams
 * leads through it: transfer_continue(). The carrier to the other machine then asks for the drain.
 *
 * Life: transfer_new() when the receiver registers it; a launch, forwarded to the space; DONE or
 * UNDO; when the process has ended, a P_DRAIN, which the receiver answers when its output has been
 * delivered. The socket's end at any time is an UNDO, or a DRAINED when it was committed. After a
 * DRAINED the receiver's child may launch another program on it, which is a new transfer.
 */
#ifndef BPROC_SLAVED_TRANSFER_H
#define BPROC_SLAVED_TRANSFER_H

#include <stdint.h>
#include <sys/types.h>
#include <event2/event.h>

#include "proto/frame.h"

struct transfer;

/* `criu_missing`: why CRIU cannot be used, or NULL when it can. Kept, not copied. */
void transfer_init(const char *criu_missing);

/* Takes `fd`. Failure shows as its close. */
void transfer_new(struct event_base *base, int fd, pid_t pid);

/* Whether process `pid` is arriving and has `child` among those it may have ghosts for. */
int transfer_has_child(pid_t pid, int child);

/* Tells the receiver that the process has ended. */
void transfer_drain(struct transfer *transfer);

/*
 * Its process runs elsewhere now. `channel`, to the carrier of its streams to there, is taken over;
 * with its end the transfer is left to end by itself.
 */
void transfer_continue(struct transfer *transfer, struct conn *channel);

/* The space's answer to a launch; of a program that is launched it has none. */
void transfer_launched(uint32_t serial, const struct frame_header *header, const uint8_t *body);

#endif
