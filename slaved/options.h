/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slaved's command line.
 */
#ifndef BPROC_SLAVED_OPTIONS_H
#define BPROC_SLAVED_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "proto/bproc.h"

#define OPTIONS_HOST_MAX 256

struct options {
    int foreground, verbose;
    int home;                   /* masterd started us, for processes that come back to it */
    int facility;               /* -1: not given */
    const char *config;         /* NULL: the usual place, which may be empty */
    const char *source;         /* NULL: any address */
    const char *state_dir;      /* NULL: the configuration's */
    const char *root;           /* NULL: the node's own */
    const char *token;          /* NULL: no join */
    uint8_t ca_hash[BPROC_HASH_LEN];
    char host[OPTIONS_HOST_MAX];    /* of the master; empty: the one known from the join */
    int port;                   /* 0: the configuration's */
};

/* Reads the words. Prints help or the version, or the reason of a refusal, and exits then. */
void options_read(int argc, char **argv, struct options *options);

/* Cuts "HOST:PORT" apart. 0 or -EINVAL. */
int options_host_port(const char *text, char *host, size_t len, int *port);

#endif
