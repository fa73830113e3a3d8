/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of a process go over a connection; of one that stands still, straight out of its memory. */
#ifndef BPROC_MEMORYPASS_H
#define BPROC_MEMORYPASS_H

#include <sys/types.h>
#include <openssl/ssl.h>

#include "migrate/memorylist.h"

/*
 * The memory that the process of that number has now, to be read and for as long as it has it: not
 * that of a program that it executes later. A descriptor or -errno.
 */
int memorypass_open(pid_t number);

/* Puts pages, any number, as P_BULK_DATA. 0 or of bulk.h. */
int memorypass_pages(SSL *ssl, const uint8_t *bytes, size_t pages);

/* The same of a batch, read from memory. 0; -ESRCH: the memory is no more; or of bulk.h. */
int memorypass_batch(SSL *ssl, int memory, const struct memoryitem *item);

#endif
