/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stream as a target gets it: between bpcp's orders at first; once bpcp has said so, from the
 * target before it. A target that shall pass it on does so here, while it reads.
 *
 * Life: feed_open() tells bpcp that there is somebody; the target gets the stream by feed_read(),
 * which meanwhile deals with orders and passes on what comes; feed_finish() passes on the rest;
 * feed_close().
 */
#ifndef TOOLS_BPCP_FEED_H
#define TOOLS_BPCP_FEED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/bpcp_link.h"
#include "tools/bpcp_ring.h"
#include "tools/bpcp_word.h"

struct feed {
    struct ring ring;
    uint64_t taken;         /* position of what is read next */
    uint64_t told;          /* position that bpcp knows of */
    int orders, reports;    /* descriptors; orders is -1 when no more come */
    struct word_reader reader;
    uint64_t part;          /* bytes of the stream until the next order */
    bool chained;           /* no more parts come, unless that is taken back */
    bool finished;          /* nothing more comes at all */
    int listener;           /* for the target before this one; -1: it is not to come */
    int stream, hold;       /* what that has handed over; -1 */
    struct link link;
    bool lean;              /* no more is read than is asked for: the rest goes past the ring */
};

/* Descriptors stay the caller's. 0 or -errno. Blocks for bpcp. */
int feed_open(struct feed *feed, int orders, int reports);

/* The next bytes of the stream, some of them; 0 at its end; -errno. Blocks until there are any. */
ssize_t feed_read(void *feed, void *bytes, size_t most);

/* A file whose rest is of no use. Blocks for bpcp. */
void feed_refuse(void *feed, uint32_t number);

/*
 * Waits until something can be done, or not at all, and does it; at most `most` bytes of the stream
 * are read. 0 or -errno.
 */
int feed_turn(struct feed *feed, bool wait, size_t most);

/* The pipe the stream comes out of next, and up to how many bytes of it do; -1: not known yet. */
int feed_pipe(const struct feed *feed, uint64_t *most);

/* So many bytes of that pipe went past the ring, which is empty. */
void feed_skip(struct feed *feed, size_t count);

/* All of it was read: lets go of who passed it on, passes on the rest. Blocks for that. */
void feed_finish(struct feed *feed);

void feed_close(struct feed *feed);

#endif
