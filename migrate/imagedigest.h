/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an image is, in one number, for those who have it from somebody whose word does not count:
 * of its files in the order in which they are sent, names, sizes and contents, by SHA-256.
 */
#ifndef BPROC_IMAGEDIGEST_H
#define BPROC_IMAGEDIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>

#include "proto/bproc.h"

/* Bytes of the largest file in the folder, to *largest. 0 or -errno. */
int imagedigest_largest(int dir, u_quad_t *largest);

/*
 * Makes the digest of the folder and keeps it there, beside the image. 0 or -errno. Takes as long
 * as reading all of it does.
 */
int imagedigest_keep(int dir);

/* Whether the one that is kept there is that. */
int imagedigest_is(int dir, const uint8_t digest[BPROC_HASH_LEN]);

/* One file comes next; its contents are then put to `ctx` as they are. */
void imagedigest_head(EVP_MD_CTX *ctx, const char *name, uint64_t size);

#endif
