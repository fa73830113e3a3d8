/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending side of the memory that travels beside an image: what there is in the regions of the
 * process that waits at its gate is read where it lies and sent in batches, each a P_BULK_PAGES
 * that says which pages follow. Pages that were never written, or hold zeros alone, are left out.
 * P_BULK_END is the last. No more than a few batches are in memory, 16 MiB.
 *
 * Life: memorysend_new(), which begins to read, though there may be no connection yet; either
 * memorysend_all(), or, for a process that runs before all is there and on a connection of its own,
 * memorysend_serve(); memorysend_free(), all by one thread. All block. 0 or -errno: -ESRCH when the
 * process has gone, or what bulk.h says.
 */
#ifndef BPROC_MEMORYSEND_H
#define BPROC_MEMORYSEND_H

#include <stdatomic.h>
#include <stdint.h>
#include <openssl/ssl.h>

#include "migrate/memorylist.h"
#include "migrate/pageoffer.h"

struct memorysend;

/*
 * The process stands still from then on (memoryhold.h). /proc must show the pid namespace that
 * dump->source is a number of; `dump` is borrowed. `offers`: pages are sent by name first, and
 * `listed`: there will be a list, if it is not lazy. NULL and errno on failure; EPERM: the process
 * is not one that `uid` could read.
 */
struct memorysend *memorysend_new(const dump_arg *dump, uid_t uid, int offers, int listed);

/* What is sent from now on is listed there, too; borrowed, may be NULL. */
void memorysend_list(struct memorysend *memory, struct memorylist *list);

/* `answer` may be NULL without offers. */
int memorysend_all(struct memorysend *memory, SSL *ssl, const struct pageoffer_answer *answer);

/*
 * A lazy one: what the peer asks for, and when `go` can be read, or the peer asks for that, the
 * rest as well, until the peer has all of it in its place. *taken counts what it has, in batches.
 */
int memorysend_serve(struct memorysend *memory, SSL *ssl, int go, atomic_uint *taken);

/* What has gone over the connection. */
uint64_t memorysend_bytes(const struct memorysend *memory);

/* The process goes on, or ends if it is lazy. NULL is allowed. */
void memorysend_free(struct memorysend *memory);

#endif
