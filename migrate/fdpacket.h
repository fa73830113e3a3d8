/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors over a local SOCK_SEQPACKET socket, beside a few bytes whose form both ends know:
 * for what is loaded into another program, which has no place for XDR and its libraries. All else
 * that goes over local sockets is a message (proto/msg.h). Both calls block.
 */
#ifndef BPROC_FDPACKET_H
#define BPROC_FDPACKET_H

#include <stddef.h>

#define FDPACKET_MAX 250        /* descriptors in one packet; the kernel takes three more */

/* The descriptors stay the caller's. 0 or -errno; never raises SIGPIPE. */
int fdpacket_send(int sock, const void *bytes, size_t len, const int *fds, unsigned count);

/*
 * One packet of exactly `len` bytes; its descriptors, close-on-exec, are the caller's, as many as
 * `most` in fds, their number in *count. 0; -ECONNRESET when there is no other end; -EPROTO for
 * another packet; another -errno.
 */
int fdpacket_recv(int sock, void *bytes, size_t len, int *fds, unsigned most, unsigned *count);

#endif
