/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ghost's end of its connection to the daemon. Its messages are a few words each, so they are
 * packed here, without the library of XDR and the memory that takes: there is a ghost for each
 * remote process.
 */
#ifndef BPROC_GHOSTWIRE_H
#define BPROC_GHOSTWIRE_H

#include <stdint.h>

#include "proto/bproc.h"

#define GHOSTWIRE_WORDS 8

struct ghostwire {
    bproc_proc proc;
    unsigned count;
    int words[GHOSTWIRE_WORDS];     /* of the body; a hyper is two, the high one first */
};

/* Sends `msg` as an event. 0 or -errno. Blocks. */
int ghostwire_send(int gate, const struct ghostwire *msg);

/* The next event. 0, or -errno: the connection is of no use any more. Blocks. */
int ghostwire_recv(int gate, struct ghostwire *msg);

#endif
