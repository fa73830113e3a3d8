/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receiver: a small forking server that takes in the transfers on this node's data port. slaved
 * binds the port, so that it is known before the first transfer and survives the server's end; a
 * server that ends is started again. The transfers it has forked do not depend on it.
 */
#ifndef BPROC_SLAVED_RECEIVERS_H
#define BPROC_SLAVED_RECEIVERS_H

#include <stdint.h>
#include <event2/event.h>

#include "proto/frame.h"

struct receivers_settings {
    const char *source;         /* address to listen on; NULL: all */
    int port;                   /* 0: any */
    const char *tls_dir;
    const char *criu;           /* empty: there is none */
    const char *cache_dir;
};

/*
 * Binds the port; blocks for 5 s at most while that is taken. The settings are kept, not copied.
 * 0 or -errno.
 */
int receivers_init(struct event_base *base, const struct receivers_settings *settings);

/* The port that was bound. */
unsigned receivers_port(void);

/* Starts the server, again if the cache is to have another size. Logs a failure. */
void receivers_start(uint64_t cache_size);

/*
 * Takes `root`, a folder's descriptor: where processes find their files from now on. Starts the
 * server again. Logs a failure.
 */
void receivers_set_root(int root);

/* A P_CACHE_PURGE call of the master: empties the file cache and answers when that is done. */
void receivers_purge(const struct frame_header *header);

void receivers_stop(void);

#endif
