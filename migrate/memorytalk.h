/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What both sides say about the memory of a process that runs before all of it is there, while
 * other messages go over the same connection. Each side works on between them: `quiet` does that
 * until the peer says something, 1, or `fd` (-1: none) can be read, 0; `take` is given what the
 * peer says, 1: it was about pages, 0: it was not. Both get `arg`; -errno ends it. All block.
 */
#ifndef BPROC_MEMORYTALK_H
#define BPROC_MEMORYTALK_H

#include <openssl/ssl.h>

#include "migrate/bulk.h"

struct memorytalk {
    SSL *ssl;
    void *arg;
    int (*quiet)(void *arg, int fd);
    int (*take)(void *arg, const struct bulk_msg *msg);
};

/* The next message that is not about pages; the caller frees it. 0 or -errno. */
int memorytalk_hear(const struct memorytalk *talk, struct bulk_msg *msg);

/* Until `fd` can be read. 0 or -errno; -EPROTO: the peer spoke of something else. */
int memorytalk_until(const struct memorytalk *talk, int fd);

/* Until *done. As above. */
int memorytalk_finish(const struct memorytalk *talk, const int *done);

#endif
