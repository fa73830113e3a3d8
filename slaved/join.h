/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine becomes a node: it shows a token to the master, whom it knows by the hash of the
 * cluster's authority, and gets a certificate for a key that it made itself.
 */
#ifndef BPROC_SLAVED_JOIN_H
#define BPROC_SLAVED_JOIN_H

#include <stddef.h>
#include <stdint.h>

#include "proto/bproc.h"

struct join_request {
    const char *host;
    int port;
    const char *source;         /* address to come from; NULL: any */
    const char *token;
    uint8_t ca_hash[BPROC_HASH_LEN];
    const char *tls_dir;        /* where key and certificates go */
};

/*
 * Joins. Blocks for at most some 20 s. 0 with the node's number in *node, or -errno with the reason
 * in text[len]; then the keys the machine had are as they were.
 */
int join_run(const struct join_request *request, int *node, char *text, size_t len);

/* The master's address, kept in a file of the state folder. Blocking; 0 or -errno. */
int join_master_save(const char *state_dir, const char *host, int port);
int join_master_load(const char *state_dir, char *host, size_t len, int *port);

#endif
