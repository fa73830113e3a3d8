/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether children of a vector that go to the same node may be forks of one of them there. A fork
 * shares with its siblings what each of several restored processes has for itself: files that are
 * open, with their positions, and memory that is mapped to be shared.
 */
#ifndef BPROC_CLONABLE_H
#define BPROC_CLONABLE_H

#include "libbproc/streams.h"

/*
 * The calling process, whose streams have been replaced: 1 if it has nothing open but those, `skip`
 * (ended by -1) and devices, is to open nothing, and shares no memory that it may write to.
 */
int is_clonable(const struct streams *set, const struct io *io, const int *skip);

#endif
