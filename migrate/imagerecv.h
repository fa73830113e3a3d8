/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receiving side of an image, counterpart of imagesend.h. Blocking.
 */
#ifndef BPROC_IMAGERECV_H
#define BPROC_IMAGERECV_H

#include <stddef.h>
#include <openssl/ssl.h>

#include "migrate/nodefiles.h"
#include "migrate/pagestore.h"

struct image {
    int dir;            /* the image's directory in memory; -1 until the first file */
    int gate;           /* there, if CRIU is held back (imagegate.h); -1 */
    int spec;           /* an exec's memory file, borrowed from here; -1 */
    struct pagestore *store;    /* where its pages may be, and are kept; NULL */
    uid_t uid;          /* whose it is */
};

/*
 * Takes everything up to P_BULK_END: image files into the directory, an exec's file, needed files
 * into the cache and into files->fds. 0, or -errno with a reason (-ENOSPC: no room).
 */
int imagerecv_run(SSL *ssl, struct image *image, struct nodefiles *files,
                  const struct filecache *cache, char *text, size_t len);

/* The exec's memory file is of no use any more. */
void imagerecv_forget(struct image *image);

#endif
