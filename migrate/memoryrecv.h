/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receiving side of the memory that travels beside an image.
 *
 * Life: the process has been restored with empty regions and waits at its gate; memoryrecv_run()
 * asks it for a userfaultfd of its memory, takes the batches that memorysend.h sends, and puts
 * their pages in place through that, without touching the process itself. What was not sent stays
 * as never written. The peer is not believed: pages can come to lie in these regions alone, once.
 */
#ifndef BPROC_MEMORYRECV_H
#define BPROC_MEMORYRECV_H

#include <openssl/ssl.h>

#include "migrate/pagestore.h"
#include "proto/bproc.h"

struct memoryrecv {
    SSL *ssl;
    int gate;
    const page_region *regions;
    unsigned count;
    struct pagestore *store;            /* of pages that came for `uid`; NULL: none */
    uid_t uid;
};

/*
 * 0: its memory is whole. -EPROTO: bytes that have no place here; -ENOSYS, -EPERM: the process can
 * have no userfaultfd; another -errno. Blocks.
 */
int memoryrecv_run(const struct memoryrecv *memory);

#endif
