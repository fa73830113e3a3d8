/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that comes from another node, which has it or is getting it, while the master says which
 * pages come and what they must be: counterpart of memoryshare_serve(). That node is not believed.
 *
 * Life: memorypull_new() for a connection to it, on which it is asked; memorypull_take() for each
 * batch that the master names. When a batch does not come, or is another one, the master is asked
 * to send the rest himself, from that one on: until memorypull_rest(), his word that he begins,
 * what he says was said before he heard of it. memorypull_free(). All block.
 */
#ifndef BPROC_MEMORYPULL_H
#define BPROC_MEMORYPULL_H

#include <stdint.h>
#include <openssl/ssl.h>

#include "migrate/nodelink.h"

struct memorypull;

/* Takes the connection; one that is not open: nothing comes from there. NULL: out of memory. */
struct memorypull *memorypull_new(SSL *master, struct nodelink *from, const share_word word);

/*
 * The pages of a batch to bytes[len]. 1: they are there, and right; 0: the master sends them; or
 * -errno. Blocks for some ten seconds at most.
 */
int memorypull_take(struct memorypull *pull, const page_named *named, uint8_t *bytes, size_t len);

/* The master begins with what he has been asked for. 0 or -EPROTO: he has not. */
int memorypull_rest(struct memorypull *pull);

/* He has been asked, and has not begun. */
int memorypull_waits(const struct memorypull *pull);

/* NULL is allowed. */
void memorypull_free(struct memorypull *pull);

#endif
