/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "migrate/ghostwire.h"
#include "proto/frame.h"

#define LAST_FRAGMENT 0x80000000u
#define PREFIX_WORDS (FRAME_PREFIX / 4)

/* The words before the body. */
enum { AT_MARK, AT_VERSION, AT_KIND, AT_PROC, AT_SERIAL, AT_STATUS, AT_NFDS };

static int bytes_write(int fd, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int words_read(int fd, uint32_t *words, size_t count)
{
    uint8_t *at = (uint8_t *)words;

    for (size_t len = 4 * count; len > 0;) {
        ssize_t n = read(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ECONNRESET;
        at += n;
        len -= (size_t)n;
    }
    for (size_t i = 0; i < count; i++)
        words[i] = ntohl(words[i]);
    return 0;
}

int ghostwire_send(int gate, const struct ghostwire *msg)
{
    uint32_t words[PREFIX_WORDS + GHOSTWIRE_WORDS] = {
        [AT_MARK] = LAST_FRAGMENT | (FRAME_HEADER + 4 * msg->count),
        [AT_VERSION] = BPROC_PROTO_VERSION, [AT_KIND] = K_EVENT, [AT_PROC] = msg->proc
    };

    for (unsigned i = 0; i < msg->count; i++)
        words[PREFIX_WORDS + i] = (uint32_t)msg->words[i];
    for (unsigned i = 0; i < PREFIX_WORDS + msg->count; i++)
        words[i] = htonl(words[i]);
    return bytes_write(gate, words, 4 * (PREFIX_WORDS + msg->count));
}

int ghostwire_recv(int gate, struct ghostwire *msg)
{
    uint32_t prefix[PREFIX_WORDS];
    uint32_t len;
    int error = words_read(gate, prefix, PREFIX_WORDS);

    if (error)
        return error;
    len = (prefix[AT_MARK] & ~LAST_FRAGMENT) - FRAME_HEADER;
    if (!(prefix[AT_MARK] & LAST_FRAGMENT) || prefix[AT_VERSION] != BPROC_PROTO_VERSION ||
        prefix[AT_KIND] != K_EVENT || prefix[AT_NFDS] != 0 || len > sizeof(msg->words) ||
        len % 4 != 0)
        return -EPROTO;
    msg->proc = (bproc_proc)prefix[AT_PROC];
    msg->count = len / 4;
    return words_read(gate, (uint32_t *)msg->words, msg->count);
}
