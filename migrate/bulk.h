/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages over a TLS connection, blocking: what the mover and the receiver speak while a process
 * image crosses. relay.h takes over the same connection afterwards.
 *
 * Life: bulk_setup() between SSL_new() and the handshake; the caller sets timeouts on the socket
 * (SO_RCVTIMEO, SO_SNDTIMEO) and ignores SIGPIPE; then any number of sends and receives. After an
 * error the connection is of no more use. Nothing here owns the SSL.
 *
 * All functions return 0 or a negative errno: -ETIMEDOUT (the socket's timeout passed),
 * -ECONNRESET (the peer ended the connection), -EPROTO, -EPROTONOSUPPORT, -EMSGSIZE (bad bytes),
 * -ENOMEM, or what the system call said.
 */
#ifndef BPROC_BULK_H
#define BPROC_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/ssl.h>

#include "proto/frame.h"

struct bulk_msg {
    struct frame_header header;
    uint8_t *body;              /* malloc'd, header.body_len bytes, NULL when empty */
};

/*
 * Prepares a fresh SSL for large transfers; its socket must be set already. From then on what is
 * written gathers, first into full records, then in a buffer: SSL_write() alone no longer sends. 0
 * or -ENOMEM.
 */
int bulk_setup(SSL *ssl);

/* The handshake of an SSL that knows which side it is. Blocks. */
int bulk_handshake(SSL *ssl);

/* Before a call of OpenSSL's whose failure is to be explained: what failed before is no reason. */
void bulk_forget(void);

/* A relay has left the connection: reads and writes block again. */
void bulk_resume(SSL *ssl);

/*
 * Puts one event into the buffer; `encode` NULL: no body. It is sent with what is sent next, at the
 * latest by bulk_flush(). Blocks when the buffer is full. bulk_seal(): what is written by others
 * from now on comes after it.
 */
int bulk_put(SSL *ssl, bproc_proc proc, uint32_t serial, xdrproc_t encode, const void *body);
int bulk_seal(SSL *ssl);
int bulk_flush(SSL *ssl);

/* There is something that it would send. */
bool bulk_is_gathered(SSL *ssl);

/* Both at once. Blocks. */
int bulk_send(SSL *ssl, bproc_proc proc, uint32_t serial, xdrproc_t encode, const void *body);

/* Puts `len` bytes, at most BPROC_MAX_BODY, as the raw body of one event; or sends them. Blocks. */
int bulk_put_data(SSL *ssl, bproc_proc proc, uint32_t serial, const void *bytes, size_t len);
int bulk_send_data(SSL *ssl, bproc_proc proc, uint32_t serial, const void *bytes, size_t len);

/*
 * Puts `size` bytes of a file from its position on, in as many events as it takes. -EIO when the
 * file is shorter. Blocks.
 */
int bulk_put_file(SSL *ssl, bproc_proc proc, uint32_t serial, int fd, uint64_t size);

/* Receives a whole event; end it with bulk_free(). On an error there is nothing to free. Blocks. */
int bulk_recv(SSL *ssl, struct bulk_msg *msg);

void bulk_free(struct bulk_msg *msg);

/*
 * Receives the header alone. The caller decides by it, then takes exactly header->body_len bytes
 * with bulk_recv_into() or bulk_recv_to_fd(). Blocks.
 */
int bulk_recv_header(SSL *ssl, struct frame_header *header);

/* Receives `len` bytes as the bodies of as many P_BULK_DATA as the peer makes of them. Blocks. */
int bulk_recv_data(SSL *ssl, void *bytes, size_t len);

/* Receives exactly `len` bytes of a body to memory, or writes them to a file. Blocks. */
int bulk_recv_into(SSL *ssl, void *bytes, size_t len);
int bulk_recv_to_fd(SSL *ssl, int fd, size_t len);

#endif
