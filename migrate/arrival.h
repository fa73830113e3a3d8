/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process arrives at a node: what a forked child of the receiver does with its connection.
 *
 * Life: arrival_run() makes TLS, hears what is to come, has the process space make ready for it,
 * asks for the files that the node lacks, takes the image into memory, has it launched, tells the
 * sender, waits for its commit, opens the gate, and then carries the streams until these have
 * ended. When that is agreed upon, the same peer may send another process on the same connection.
 * Whatever ends the connection before the commit undoes everything: slaved kills what was launched
 * when our socket to it closes.
 */
#ifndef BPROC_ARRIVAL_H
#define BPROC_ARRIVAL_H

#include <openssl/ssl.h>

#include "migrate/filecache.h"
#include "migrate/pagestore.h"

struct arrival_setup {
    SSL_CTX *ctx;
    const char *criu;
    struct filecache cache;
    char root[64];              /* the process space's root, as we see it */
    int server;                 /* packet socket to slaved */
    int null;                   /* /dev/null, for programs */
    struct pagestore *store;    /* pages that have come before; NULL */
    SSL_CTX *out;               /* for what other nodes have */
    int known;                  /* to be closed when the sender has shown to be the master */
};

/* Takes the connected socket. Blocks for the life of the process's streams. An exit status. */
int arrival_run(const struct arrival_setup *setup, int sock);

#endif
