/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/bulk.h"
#include "migrate/imagedigest.h"
#include "migrate/imagepull.h"
#include "migrate/nodelink.h"

#define PIECE (256 * 1024)
#define PATIENCE_SECONDS 12
#define ALL_SECONDS 240                 /* the mover waits longer for what we say of it */

struct pull {
    SSL *ssl;
    struct image *image;
    EVP_MD_CTX *digest;
    time_t until;
    uint8_t piece[PIECE];
};

/* A node could send a byte at a time. */
static int time_check(const struct pull *pull)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec < pull->until ? 0 : -ETIMEDOUT;
}

static int body_take(struct pull *pull, int fd, size_t len)
{
    int error = 0;

    while (!error && len > 0) {
        size_t part = len < PIECE ? len : PIECE;

        error = time_check(pull);
        if (!error)
            error = bulk_recv_into(pull->ssl, pull->piece, part);
        if (!error)
            error = fd_write_all(fd, pull->piece, part);
        EVP_DigestUpdate(pull->digest, pull->piece, part);
        len -= part;
    }
    return error;
}

static int content_take(struct pull *pull, int fd, uint64_t size)
{
    struct frame_header header;
    int error = 0;

    while (!error && size > 0) {
        error = bulk_recv_header(pull->ssl, &header);
        if (!error && (header.proc != P_BULK_DATA || header.body_len == 0 ||
                       header.body_len > size))
            error = -EPROTO;
        if (!error)
            error = body_take(pull, fd, header.body_len);
        size -= error ? 0 : header.body_len;
    }
    return error;
}

static int file_take(struct pull *pull, const struct bulk_msg *msg)
{
    bulk_file head;
    int fd, error = frame_decode(FRAME_XDR(bulk_file), msg->body, msg->header.body_len, &head,
                                 sizeof(head));

    if (error)
        return error;
    fd = head.what == BULK_IMAGE ? image_create(pull->image, &head) : -EPROTO;
    error = fd < 0 ? fd : 0;
    if (!error) {
        imagedigest_head(pull->digest, head.name, head.size);
        error = content_take(pull, fd, head.size);
        close(fd);
    }
    frame_free(FRAME_XDR(bulk_file), &head, sizeof(head));
    return error;
}

static int all_take(struct pull *pull)
{
    struct bulk_msg msg;
    int error = 0, end = 0;

    while (!error && !end) {
        error = bulk_recv(pull->ssl, &msg);
        if (error)
            return error;
        end = msg.header.proc == P_BULK_END;
        if (!end)
            error = msg.header.proc == P_BULK_FILE ? file_take(pull, &msg) : -EPROTO;
        bulk_free(&msg);
    }
    return error;
}

static int pull_ask(SSL *ssl, const vector_share *share)
{
    struct timeval limit = { .tv_sec = PATIENCE_SECONDS };
    share_arg arg = { .forks = 0 };

    memcpy(arg.word, share->word, sizeof(arg.word));
    setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return bulk_send(ssl, P_BULK_PULL, 0, FRAME_XDR(share_arg), &arg);
}

static int pull_digest(struct pull *pull, uint8_t digest[BPROC_HASH_LEN])
{
    struct timespec now;
    int error;

    clock_gettime(CLOCK_MONOTONIC, &now);
    pull->until = now.tv_sec + ALL_SECONDS;
    error = EVP_DigestInit_ex(pull->digest, EVP_sha256(), NULL) ? all_take(pull) : -ENOMEM;

    if (!error && !EVP_DigestFinal_ex(pull->digest, digest, NULL))
        error = -EIO;
    return error;
}

int imagepull_run(SSL_CTX *ctx, const vector_share *share, struct image *image,
                  uint8_t digest[BPROC_HASH_LEN])
{
    struct pull *pull = malloc(sizeof(*pull));
    struct nodelink link = { .ssl = NULL };
    char text[256];
    int error = pull ? nodelink_open(&link, ctx, &share->from, text, sizeof(text)) : -ENOMEM;

    if (!error)
        error = pull_ask(link.ssl, share);
    if (!error) {
        *pull = (struct pull){ .ssl = link.ssl, .image = image, .digest = EVP_MD_CTX_new() };
        error = pull->digest ? pull_digest(pull, digest) : -ENOMEM;
        EVP_MD_CTX_free(pull->digest);
    }
    nodelink_close(&link);
    free(pull);
    if (error)
        fd_close(&image->dir);
    return error;
}
