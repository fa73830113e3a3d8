/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image that comes, as other nodes may have it from here meanwhile.
 *
 * Life: each file is added when it begins; it has a second name in a folder of its own, where it
 * stays as it came, and stands in that folder's list. The first large file makes the folder known
 * to slaved, which gives it to a child of the receiver that another node has asked: that follows
 * the list and the files as they grow, imageshare_serve(), until the end.
 */
#ifndef BPROC_IMAGESHARE_H
#define BPROC_IMAGESHARE_H

#include <stdint.h>
#include <openssl/ssl.h>

#include "proto/bproc.h"

struct imageshare {
    int slaved;                 /* socket of the transfer */
    const char *word;
    int folder;                 /* -1 before the first file */
    int list;
    int given;
};

/* For an image under that word, not begun yet. */
void imageshare_init(struct imageshare *share, int slaved, const char *word);

/* The file of that name was made in `dir` and will have `size` bytes. 0 or -errno. */
int imageshare_add(struct imageshare *share, int dir, const char *name, uint64_t size);

/* It is whole, or will never be: who follows it hears of that. The share is closed. */
void imageshare_end(struct imageshare *share);
void imageshare_break(struct imageshare *share);

/*
 * Sends the image to another node, which has the word. `slaved`: a socket that was registered for
 * it. 0 or -errno. Blocks.
 */
int imageshare_serve(SSL *ssl, int slaved, const struct share_arg *arg);

#endif
