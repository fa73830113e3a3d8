/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The descriptors of a process that lead outside of it: its standard streams, pipes and sockets
 * shared with others, terminals. They cannot travel; they are handed to the daemon, which relays
 * them, and in the image a placeholder stands for each.
 *
 * Life: streams_collect() looks at the process's descriptors; for a process that will be dumped
 * streams_replace() then puts the placeholders in their place; streams_free() closes what the set
 * still owns.
 */
#ifndef BPROC_STREAMS_H
#define BPROC_STREAMS_H

#include "libbproc/io.h"

struct streams {
    stream_desc descs[BPROC_MAX_STREAMS];
    int targets[BPROC_MAX_STREAMS][BPROC_MAX_TARGETS];
    unsigned count;
    int originals[BPROC_MAX_STREAMS];   /* one for each that is not STREAM_CONNECT */
    unsigned original_count;
    int lent;                           /* these are the caller's; else duplicates */
};

/*
 * Fills `set` with the sockets of `io` and the streams among the open descriptors, unless `io`
 * names all that the process is to have. `flags`: BPROC_IO_*; `exec`: only what an exec would
 * keep; `skip`: descriptors that are ours, ended by -1. 0, -EMFILE when there are more than
 * BPROC_MAX_STREAMS (or no descriptor is free).
 */
int streams_collect(struct streams *set, int flags, const struct io *io, int exec,
                    const int *skip);

/*
 * Fills `set` with what is to be a process's descriptors 0 to 2, of which this one has the other
 * ends or copies as `fds`; -1: not forwarded. They stay the caller's. 0, -EMFILE.
 */
int streams_take(struct streams *set, const int fds[3]);

/*
 * Puts a placeholder on every target, and /dev/null on descriptor 0 if that is no stream; if `io`
 * names all, closes the others but `skip` instead. 0/-errno.
 */
int streams_replace(struct streams *set, const struct io *io, const int *skip);

void streams_free(struct streams *set);

#endif
