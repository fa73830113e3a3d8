/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole messages over a local socket, blocking, with descriptors. For programs without an event
 * loop: the library, the ghost, the transfer helpers, the space. The daemons use common/conn.h.
 *
 * Descriptors travel with the first byte of their message; every received one is close-on-exec.
 */
#ifndef BPROC_PROTO_MSG_H
#define BPROC_PROTO_MSG_H

#include "proto/frame.h"

struct msg {
    struct frame_header header;
    uint8_t *body;              /* malloc'd, header.body_len bytes, NULL when empty */
    int fds[BPROC_MAX_FDS];     /* header.nfds of them; -1 when taken */
};

/*
 * Sends one message; `encode` NULL: no body. Blocks until it is written. Never raises SIGPIPE.
 * 0 or a negative errno (frame_build's, sendmsg's).
 */
int msg_send(int sock, bproc_kind kind, bproc_proc proc, uint32_t serial, int status,
             xdrproc_t encode, const void *body, const int *fds, unsigned nfds);

/*
 * Receives one message. 0 with *msg filled (end it with msg_free()), -ECONNRESET when the peer
 * closed before a whole message, another negative errno. Blocks.
 */
int msg_recv(int sock, struct msg *msg);

/*
 * The same from a SOCK_SEQPACKET socket, where one packet is one message. msg_send() serves both.
 * -EPROTO when the packet is shorter or longer than its header says.
 */
int msg_recv_packet(int sock, struct msg *msg);

/* Takes descriptor `index` out of the message: the caller owns it. -1 if there is none. */
int msg_take_fd(struct msg *msg, unsigned index);

/* Frees the body and closes the descriptors that were not taken. */
void msg_free(struct msg *msg);

/*
 * A call: sends, waits for the reply with the same procedure, decodes it into *ret (`decode` NULL:
 * nothing expected). 0, a negative errno of the transport, or the reply's status as -status, with
 * its text, if any, in text[len] (may be NULL).
 */
int msg_call(int sock, bproc_proc proc, xdrproc_t encode, const void *arg, const int *fds,
             unsigned nfds, xdrproc_t decode, void *ret, size_t ret_size, char *text, size_t len);

/* The second half of that, for a call that msg_send() has made. Passes events over. Blocks. */
int msg_answer(int sock, bproc_proc proc, xdrproc_t decode, void *ret, size_t ret_size, char *text,
               size_t len);

#endif
