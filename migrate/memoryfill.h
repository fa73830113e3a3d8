/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receiving side of the memory of a process that runs before all of it is there: a child of the
 * receiver with a connection of its own, beside the one that restores the process and carries its
 * streams.
 *
 * Life: the process has been restored with empty regions and waits at its gate; memoryfill_new();
 * if memoryfill_is_lazy(), it may go on at once; memoryfill_run() puts what memorysend.h sends into
 * its place, and asks for what somebody waits for, until all is there; memoryfill_free(). The peer
 * is not believed: pages can come to lie in these regions alone. 0 or -errno: -EPROTO for bytes
 * that have no place here, what bulk.h says, or the kernel.
 */
#ifndef BPROC_MEMORYFILL_H
#define BPROC_MEMORYFILL_H

#include <openssl/ssl.h>

#include "migrate/memorygate.h"
#include "proto/bproc.h"

struct memoryfill;

/*
 * Takes the descriptors of *gate, on failure too; `arg` and `server`, to slaved, are borrowed. NULL
 * and errno: ENOSYS, EPERM when the process can have no userfaultfd. Blocks until slaved knows of
 * it.
 */
struct memoryfill *memoryfill_new(SSL *ssl, struct memorygate *gate, const fill_arg *arg,
                                  int server);

/* Where there is no /dev/userfaultfd, or a Linux before 6.10, it must not. */
int memoryfill_is_lazy(const struct memoryfill *fill);

/* The process has not ended. */
int memoryfill_is_missed(const struct memoryfill *fill);

/* Blocks until all is in place, or nobody is left to fill. */
int memoryfill_run(struct memoryfill *fill);

/*
 * Kills a process that lacks pages, and its descendants; we are to end soon then, which is when
 * those that it has lost get a SIGBUS for what they lack. NULL is allowed.
 */
void memoryfill_free(struct memoryfill *fill);

#endif
