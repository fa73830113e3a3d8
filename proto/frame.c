/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"

#define LAST_FRAGMENT 0x80000000u

static uint32_t word_get(const uint8_t *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof(word));
    return ntohl(word);
}

static void word_put(uint8_t *bytes, uint32_t word)
{
    word = htonl(word);
    memcpy(bytes, &word, sizeof(word));
}

int frame_parse_header(const uint8_t bytes[FRAME_PREFIX], struct frame_header *header)
{
    uint32_t mark = word_get(bytes);
    uint32_t length = mark & ~LAST_FRAGMENT;
    uint32_t words[FRAME_HEADER / 4];

    if (!(mark & LAST_FRAGMENT) || length < FRAME_HEADER)
        return -EPROTO;
    if (length > FRAME_HEADER + BPROC_MAX_BODY)
        return -EMSGSIZE;
    for (size_t i = 0; i < FRAME_HEADER / 4; i++)
        words[i] = word_get(bytes + FRAME_MARK + 4 * i);
    if (words[0] != BPROC_PROTO_VERSION)
        return -EPROTONOSUPPORT;
    if (words[1] > K_EVENT || words[2] == 0 || words[2] > BPROC_MAX_PROC)
        return -EPROTO;
    if (words[5] > BPROC_MAX_FDS)
        return -EMSGSIZE;
    header->kind = (bproc_kind)words[1];
    header->proc = (bproc_proc)words[2];
    header->serial = words[3];
    header->status = (int)words[4];
    header->nfds = words[5];
    header->body_len = length - FRAME_HEADER;
    return 0;
}

void frame_format_header(const struct frame_header *header, uint8_t bytes[FRAME_PREFIX])
{
    word_put(bytes, LAST_FRAGMENT | (FRAME_HEADER + header->body_len));
    word_put(bytes + 4, BPROC_PROTO_VERSION);
    word_put(bytes + 8, header->kind);
    word_put(bytes + 12, header->proc);
    word_put(bytes + 16, header->serial);
    word_put(bytes + 20, (uint32_t)header->status);
    word_put(bytes + 24, header->nfds);
}

int frame_encode_here(xdrproc_t encode, const void *in, uint8_t *bytes, size_t *len)
{
    XDR xdrs;
    int ok;

    xdrmem_create(&xdrs, (char *)bytes, (u_int)*len, XDR_ENCODE);
    ok = encode(&xdrs, (void *)(uintptr_t)in, 0);
    *len = xdr_getpos(&xdrs);
    xdr_destroy(&xdrs);
    return ok ? 0 : -EMSGSIZE;
}

static int frame_alloc(xdrproc_t encode, const void *in, size_t before, size_t max,
                       uint8_t **bytes, size_t *len)
{
    size_t size = encode ? xdr_sizeof(encode, (void *)(uintptr_t)in) : 0;
    uint8_t *buffer;

    /* xdr_sizeof says 0 when a bound is passed; no body we have is empty when encoded. */
    if (encode && (size == 0 || size > max))
        return -EMSGSIZE;
    buffer = malloc(before + size + 1);
    if (!buffer)
        return -ENOMEM;
    if (encode && frame_encode_here(encode, in, buffer + before, &size) < 0) {
        free(buffer);
        return -EMSGSIZE;
    }
    *bytes = buffer;
    *len = before + size;
    return 0;
}

int frame_build(const struct frame_header *header, xdrproc_t encode, const void *body,
                uint8_t **frame, size_t *len)
{
    struct frame_header full = *header;
    int error = frame_alloc(encode, body, FRAME_PREFIX, BPROC_MAX_BODY, frame, len);

    if (error)
        return error;
    full.body_len = (uint32_t)(*len - FRAME_PREFIX);
    frame_format_header(&full, *frame);
    return 0;
}

int frame_encode(xdrproc_t encode, const void *in, size_t max, uint8_t **bytes, size_t *len)
{
    return frame_alloc(encode, in, 0, max, bytes, len);
}

/* *used: how much of the body it is. */
static int body_decode(xdrproc_t decode, const void *body, size_t len, void *out, size_t out_size,
                       size_t *used)
{
    XDR xdrs;
    int ok;

    memset(out, 0, out_size);
    xdrmem_create(&xdrs, (char *)(uintptr_t)body, (u_int)len, XDR_DECODE);
    ok = decode(&xdrs, out, 0);
    *used = xdr_getpos(&xdrs);
    xdr_destroy(&xdrs);
    /* libtirpc takes strings with a NUL inside, of which the rest would go unseen. */
    ok = ok && xdr_sizeof(decode, out) == *used;
    if (ok)
        return 0;
    /* libtirpc leaves what it had allocated before the error. */
    frame_free(decode, out, out_size);
    return -EPROTO;
}

int frame_decode_head(xdrproc_t decode, const void *body, size_t len, void *out, size_t out_size)
{
    size_t used;

    return body_decode(decode, body, len, out, out_size, &used);
}

int frame_decode(xdrproc_t decode, const void *body, size_t len, void *out, size_t out_size)
{
    size_t used;
    int error = body_decode(decode, body, len, out, out_size, &used);

    if (error || used == len)
        return error;
    frame_free(decode, out, out_size);
    return -EPROTO;
}

void frame_free(xdrproc_t decode, void *out, size_t out_size)
{
    xdr_free(decode, out);
    memset(out, 0, out_size);
}

bool_t xdr_frame_bytes(XDR *xdrs, struct frame_bytes *body)
{
    return xdrs->x_op == XDR_ENCODE &&
           xdr_opaque(xdrs, (char *)(uintptr_t)body->bytes, (u_int)body->len);
}
