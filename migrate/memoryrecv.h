/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receiving side of the memory that travels beside an image.
 *
 * Life: the process has been restored with empty regions and waits at its gate; memoryrecv_new()
 * asks it for a userfaultfd of its memory. Either memoryrecv_all() takes the batches that
 * memorysend.h sends and puts their pages in place, without touching the process itself; or the
 * process goes on at once, and memoryrecv_until() and memoryrecv_hear() stand for other ways to
 * wait, so that it gets what it touches meanwhile; then memoryrecv_finish(). memoryrecv_free();
 * what was not sent stays as never written. The peer is not believed: pages can come to lie in
 * these regions alone. All block. 0 or -errno: -EPROTO for bytes that have no place here, what
 * bulk.h says, or the kernel.
 */
#ifndef BPROC_MEMORYRECV_H
#define BPROC_MEMORYRECV_H

#include <openssl/ssl.h>

#include "migrate/bulk.h"
#include "migrate/memorypull.h"
#include "migrate/memoryshare.h"
#include "migrate/pagestore.h"

struct memoryrecv;

/*
 * Of a process of `uid`; `lazy` asks for one that runs before all is there. NULL and errno: ENOSYS,
 * EPERM when it can have no userfaultfd, EPROTO when it is another user's.
 */
struct memoryrecv *memoryrecv_new(SSL *ssl, int gate, uid_t uid, const page_region *regions,
                                  unsigned count, int lazy);

/* It may: where there is no /dev/userfaultfd, or a Linux before 6.10, it may not. */
int memoryrecv_is_lazy(const struct memoryrecv *memory);

/* The process, as it is numbered here. */
pid_t memoryrecv_pid(const struct memoryrecv *memory);

/* It is one of a vector. Either may be NULL; both are borrowed, for memoryrecv_all(). */
void memoryrecv_join(struct memoryrecv *memory, struct memorypull *pull,
                     struct memoryshare *share);

/* `store`, of pages that came for its user, may be NULL. */
int memoryrecv_all(struct memoryrecv *memory, struct pagestore *store);

/* Until `fd` can be read. */
int memoryrecv_until(struct memoryrecv *memory, int fd);

/* The next message that is not about pages; the caller frees it. */
int memoryrecv_hear(struct memoryrecv *memory, struct bulk_msg *msg);

/* Until all is in place. */
int memoryrecv_finish(struct memoryrecv *memory);

/*
 * Kills a process that runs without all of its pages, and its descendants; we are to end soon then,
 * which is when those that it has lost get a SIGBUS for what they lack. NULL is allowed.
 */
void memoryrecv_free(struct memoryrecv *memory);

#endif
