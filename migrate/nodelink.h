/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection over which a process goes to a node, and then its streams.
 *
 * Life: nodelink_open(); one transfer; if that has ended as agreed (P_STREAM_OVER) the next one to
 * the same place may begin on it, which saves the handshake; nodelink_close(). A connection that
 * has waited may have ended meanwhile: nodelink_is_open() tells as far as that is known.
 */
#ifndef BPROC_NODELINK_H
#define BPROC_NODELINK_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/ssl.h>

#include "proto/bproc.h"

struct nodelink {
    SSL *ssl;                   /* NULL: none */
    node_place to;
    int uses;                   /* transfers by its owner */
};

/*
 * Connects and makes sure that it is that node. 0, or -errno with a reason. Blocks for at most
 * some ten seconds; what is received and sent afterwards for at most five minutes at a time.
 */
int nodelink_open(struct nodelink *link, SSL_CTX *ctx, const node_place *to, char *text,
                  size_t len);

/* For how many seconds a node may say nothing, those five minutes. */
int nodelink_patience(void);

/* It leads there, and nobody has ended it. Does not block. */
bool nodelink_is_open(const struct nodelink *link, const node_place *to);

void nodelink_close(struct nodelink *link);

#endif
