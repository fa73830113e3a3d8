/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Join tokens: 24 random bytes in hexadecimal, good for one join until they expire. Only their
 * hashes are kept.
 */
#ifndef MASTERD_TOKEN_H
#define MASTERD_TOKEN_H

#include "proto/frame.h"

/*
 * Makes a token for `node` (-1: any) and fills what a node has to be told; the strings are
 * malloc'd. 0, -ENOENT when there is no authority yet, -EIO, -ENOMEM. Blocks for the disk.
 */
int token_create(int node, unsigned ttl_seconds, token_ret *ret);

/* As store_token_use(), for the token's text. */
int token_use(const char *token, int *node);

/* As store_token_give_back(). */
int token_give_back(const char *token);

#endif
