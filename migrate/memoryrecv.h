/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receiving side of the memory that travels beside an image, all of it before the process runs; if
 * that is not to wait, see memoryfill.h.
 *
 * Life: the process has been restored with empty regions and waits at its gate; memoryrecv_new();
 * memoryrecv_all() takes the batches that memorysend.h sends and puts their pages in place, without
 * touching the process itself; memoryrecv_free(), after which what was not sent is as never
 * written. The peer is not believed: pages can come to lie in these regions alone. All block. 0 or
 * -errno: -EPROTO for bytes that have no place here, what bulk.h says, or the kernel.
 */
#ifndef BPROC_MEMORYRECV_H
#define BPROC_MEMORYRECV_H

#include <openssl/ssl.h>

#include "migrate/bulk.h"
#include "migrate/memorypull.h"
#include "migrate/memoryshare.h"
#include "migrate/pagestore.h"

struct memoryrecv;

/* Of a process of `uid`. Takes the userfaultfd `fd`, on failure too. NULL and errno. */
struct memoryrecv *memoryrecv_new(SSL *ssl, int fd, uid_t uid, const page_region *regions,
                                  unsigned count);

/* It is one of a vector. Either may be NULL; both are borrowed, for memoryrecv_all(). */
void memoryrecv_join(struct memoryrecv *memory, struct memorypull *pull,
                     struct memoryshare *share);

/* `store`, of pages that came for its user, may be NULL. */
int memoryrecv_all(struct memoryrecv *memory, struct pagestore *store);

/* NULL is allowed. */
void memoryrecv_free(struct memoryrecv *memory);

#endif
