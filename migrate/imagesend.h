/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending side of an image: the files CRIU wrote, a mapped file for the node's cache, an exec's
 * memory file. Each goes as P_BULK_FILE and as many P_BULK_DATA as its size takes. Blocking; all
 * return 0 or -errno.
 */
#ifndef BPROC_IMAGESEND_H
#define BPROC_IMAGESEND_H

#include <stdint.h>
#include <openssl/ssl.h>

#include "migrate/files.h"
#include "migrate/pageoffer.h"

/*
 * All files of a dump's directory but CRIU's log. With `answer` pages that the receiver may have
 * are offered first; NULL: all are sent. What goes over the connection is added to *bytes.
 */
int imagesend_dir(SSL *ssl, int dir, const struct pageoffer_answer *answer, uint64_t *bytes);

int imagesend_spec(SSL *ssl, int spec, uint64_t *bytes);

int imagesend_cached(SSL *ssl, const struct files *files, unsigned index);

#endif
