/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a node says of files may name any. So a forked child that has the rights of the process's
 * owner alone looks for them: it closes what it does not need, becomes him, does its work, tells
 * what has come of it and ends. Whatever he may not see, the node does not learn of.
 */
#ifndef BPROC_OWNER_H
#define BPROC_OWNER_H

#include "migrate/imagecheck.h"

#define OWNER_SECONDS 10            /* for all that such a child does */

/*
 * Forks the child, which runs `child` and ends; here `hear` is called with the other end of its
 * socket, and gives the result. -errno if there can be no child. Blocks until it has ended.
 */
int owner_ask(void (*child)(int result, const void *arg), int (*hear)(int result, const void *arg),
              const void *arg);

/*
 * In the child, before it closes anything: the way to `root` may lead over a descriptor. It becomes
 * the folder. After OWNER_SECONDS the child dies by SIGALRM. 0 or -errno.
 */
int owner_begin(const char *root);

/*
 * In the child, as root: what owner_begin() was given is its root from now on, and it has the ids
 * and groups of `owner`. 0 or -errno. Does not block.
 */
int owner_become(const struct image_owner *owner);

#endif
