/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process leaves for a node: what a carrier, a forked child of the mover, does from
 * P_MOVE_START on.
 *
 * Life: departure_run() takes the message over, dumps (rfork), connects, sends, waits for the
 * daemon's commit, and then carries the process's streams until these have ended. Until the commit
 * the end of the daemon's channel ends the child at once, which the node takes as an undo; after it
 * the child needs the daemon no more.
 */
#ifndef BPROC_DEPARTURE_H
#define BPROC_DEPARTURE_H

#include <openssl/ssl.h>

#include "migrate/nodelink.h"
#include "proto/msg.h"

struct departure_setup {
    SSL_CTX *ctx;
    int orders;                 /* for CRIU workers */
    const char *hash_dir;
};

/*
 * Takes the message (frees it), the channel to the daemon, and the connection of an earlier
 * departure if there is one. Blocks for the life of the process's streams. 1: all has ended well,
 * and the connection is free for another departure; the daemon has been told that this comes over
 * the channel, unless that is -1 now. 0: it is not, and the child has to end.
 */
int departure_run(const struct departure_setup *setup, struct msg *start, int *channel,
                  struct nodelink *link);

#endif
