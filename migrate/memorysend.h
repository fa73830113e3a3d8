/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending side of the memory that travels beside an image: what there is in the regions of the
 * process that waits at its gate is read where it lies and sent in batches, each a P_BULK_PAGES
 * that says which pages follow. Pages that were never written, or hold zeros alone, are left out.
 * P_BULK_END is the last. No more than one batch is in memory.
 */
#ifndef BPROC_MEMORYSEND_H
#define BPROC_MEMORYSEND_H

#include <stdint.h>
#include <openssl/ssl.h>

#include "migrate/pageoffer.h"

/*
 * /proc must show the pid namespace that dump->source is a number of. With an `answer` (NULL: none)
 * pages are sent by name first. What went over the connection is added to *bytes. 0; -ESRCH when
 * the process has gone; another -errno. Blocks.
 */
int memorysend_run(SSL *ssl, const dump_arg *dump, const struct pageoffer_answer *answer,
                   uint64_t *bytes);

#endif
