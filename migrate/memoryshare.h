/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a process of a vector, as another node may have it from here while it comes.
 *
 * Life: memoryshare_new() when the process has been restored; each batch that has been put in place
 * is added, from the first on slaved knows of it, and gives the list of batches, the last of these
 * (memoryring.h) and the process's memory to a child of the receiver that another node has asked:
 * that follows the list and sends what stands there, memoryshare_serve(), until the end. It reads
 * the process's memory only for what it was too late for. The process does not run before all who
 * follow have what they need. If that cannot be kept up, those who follow have the owner of the
 * memory to ask, and the process here is none the worse. memoryshare_free(); whoever still
 * follows a list without an end is cut off by slaved, at the end of the transfer.
 */
#ifndef BPROC_MEMORYSHARE_H
#define BPROC_MEMORYSHARE_H

#include <openssl/ssl.h>

#include "migrate/memorylist.h"

struct memoryshare;

/* `slaved`: socket of the transfer; `number`: of the process, here. NULL: it cannot be shared. */
struct memoryshare *memoryshare_new(int slaved, const share_word word, pid_t number);

/* What the next batch is to be written to, until it is added: room for the largest. */
uint8_t *memoryshare_room(struct memoryshare *share);

/*
 * The pages that are there are in their place, too. 0, or -errno: it is shared no longer, and
 * whoever follows it, or will ask for it, is told so.
 */
int memoryshare_add(struct memoryshare *share, const page_run *runs, unsigned count);

/* It is whole. NULL is allowed. */
void memoryshare_end(struct memoryshare *share);
void memoryshare_free(struct memoryshare *share);

/*
 * Sends the memory to another node, which has the word. `slaved`: a socket that was registered for
 * it. 0 or -errno. Blocks.
 */
int memoryshare_serve(SSL *ssl, int slaved, const take_arg *arg);

#endif
