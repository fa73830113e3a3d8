/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <rpc/rpc.h>
#include <unistd.h>

#include "tools/bpcp_word.h"

void word_encode(const copy_word *word, uint8_t bytes[COPY_WORD_LEN])
{
    XDR xdrs;

    xdrmem_create(&xdrs, (char *)bytes, COPY_WORD_LEN, XDR_ENCODE);
    xdr_copy_word(&xdrs, (copy_word *)(uintptr_t)word);
    xdr_destroy(&xdrs);
}

int word_put(int fd, const copy_word *word)
{
    uint8_t bytes[COPY_WORD_LEN];

    word_encode(word, bytes);
    return write(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes) ? 0 : -errno;
}

int word_get(struct word_reader *reader, int fd, copy_word *word)
{
    ssize_t n = read(fd, reader->bytes + reader->used, sizeof(reader->bytes) - reader->used);
    XDR xdrs;
    bool_t good;

    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    if (n == 0)
        return -ENODATA;
    reader->used += (size_t)n;
    if (reader->used < sizeof(reader->bytes))
        return 0;
    reader->used = 0;
    xdrmem_create(&xdrs, (char *)reader->bytes, sizeof(reader->bytes), XDR_DECODE);
    good = xdr_copy_word(&xdrs, word);
    xdr_destroy(&xdrs);
    return good ? 1 : -EPROTO;
}
