/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image that another node has, or is about to have, comes from there: counterpart of
 * imageshare_serve(). That node is not believed; whoever owns the image compares the digest.
 */
#ifndef BPROC_IMAGEPULL_H
#define BPROC_IMAGEPULL_H

#include <stdint.h>
#include <openssl/ssl.h>

#include "migrate/imagerecv.h"

/*
 * Takes the image that `share` names into image->dir. `digest`: of what came. 0 or -errno, with
 * what came closed. Blocks, for at most some ten seconds without a byte.
 */
int imagepull_run(SSL_CTX *ctx, const vector_share *share, struct image *image,
                  uint8_t digest[BPROC_HASH_LEN]);

#endif
