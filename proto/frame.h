/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of a message: a record mark as in RFC 5531 (four bytes, the top bit set, the rest
 * the length of what follows), the header, the body. Everything here works on memory; msg.h and
 * common/conn.h move the bytes.
 *
 * A receiver takes FRAME_PREFIX bytes, asks frame_parse_header(), which checks length, version,
 * kind and procedure before anything is allocated, then takes header.body_len bytes more and
 * decodes them with frame_decode() once it has decided that the procedure is allowed now.
 */
#ifndef BPROC_PROTO_FRAME_H
#define BPROC_PROTO_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <rpc/rpc.h>

#include "proto/bproc.h"

#define FRAME_MARK 4
#define FRAME_HEADER 24
#define FRAME_PREFIX (FRAME_MARK + FRAME_HEADER)

struct frame_header {
    bproc_kind kind;
    bproc_proc proc;
    uint32_t serial;
    int status;
    uint32_t nfds;
    uint32_t body_len;
};

/*
 * Reads the FRAME_PREFIX bytes at `bytes`. 0, or -EPROTO (not ours), -EPROTONOSUPPORT (another
 * version), -EMSGSIZE (longer than BPROC_MAX_BODY or more than BPROC_MAX_FDS descriptors).
 */
int frame_parse_header(const uint8_t bytes[FRAME_PREFIX], struct frame_header *header);

/* Writes the FRAME_PREFIX bytes of `header` to `bytes`. */
void frame_format_header(const struct frame_header *header, uint8_t bytes[FRAME_PREFIX]);

/*
 * Builds a whole frame: prefix and body (`encode` may be NULL for an empty one). header->body_len
 * is ignored and set in the bytes. 0 with *frame malloc'd (the caller frees) and *len set;
 * -EMSGSIZE when a bound of bproc.x or BPROC_MAX_BODY is passed; -ENOMEM.
 */
int frame_build(const struct frame_header *header, xdrproc_t encode, const void *body,
                uint8_t **frame, size_t *len);

/*
 * Decodes a body into *out, which is zeroed first. 0, or -EPROTO when it does not decode, bytes
 * are left over or a string has a NUL inside; then nothing has to be freed. After a 0 the caller
 * ends it with frame_free().
 */
int frame_decode(xdrproc_t decode, const void *body, size_t len, void *out, size_t out_size);

/* As frame_decode(), of a body with which more than *out may follow. */
int frame_decode_head(xdrproc_t decode, const void *body, size_t len, void *out, size_t out_size);

/* Frees what frame_decode() allocated inside *out and zeroes it. */
void frame_free(xdrproc_t decode, void *out, size_t out_size);

/*
 * Encodes alone, without a prefix, at most `max` bytes: for what travels in files.
 * As frame_build().
 */
int frame_encode(xdrproc_t encode, const void *in, size_t max, uint8_t **bytes, size_t *len);

/* The same into *len bytes, which becomes how many it is. 0; -EMSGSIZE: it does not fit. */
int frame_encode_here(xdrproc_t encode, const void *in, uint8_t *bytes, size_t *len);

/* A body that is encoded already: FRAME_XDR(frame_bytes) sends it on as it is. Not for decoding. */
struct frame_bytes {
    const uint8_t *bytes;
    size_t len;
};
bool_t xdr_frame_bytes(XDR *xdrs, struct frame_bytes *body);

#define FRAME_XDR(type) ((xdrproc_t)xdr_##type)

#endif
