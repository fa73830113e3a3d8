/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The epoll instances of a child that is about to leave. It shares them with its parent, and they
 * refer to the originals of its streams, which do not travel. So it gets instances of its own,
 * under the same numbers, that watch the same descriptors.
 */
#ifndef BPROC_EPOLLS_H
#define BPROC_EPOLLS_H

#include "libbproc/streams.h"

/*
 * To be called when the streams `set` have been replaced. What is watched, but has been closed, is
 * left out. 0 or -errno. Does not block.
 */
int epolls_renew(const struct streams *set);

#endif
