/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of a process that stands still go over a connection, straight out of its memory. */
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

/* Puts the pages of a batch, as P_BULK_DATA. 0; -ESRCH: the memory is no more; or of bulk.h. */
int memorypass_batch(SSL *ssl, int memory, const struct memoryitem *item);

#endif
