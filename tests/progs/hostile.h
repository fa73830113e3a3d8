/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the program `hostile` share: hostile_shot.c shoots, hostile.c has what is shot
 * by anybody, hostile_member.c what a node shoots.
 */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include "common/tls.h"
#include "proto/msg.h"
#include "tests/progs/prog.h"

#define RANDOM_SHOTS 40

struct target {
    const char *addr;           /* NULL: the local socket */
    int port;
    SSL_CTX *ctx;               /* NULL: no TLS */
};

struct shot {
    int fd;
    SSL *ssl;
};

/* The same ones in each run. */
uint32_t random_get(void);
void random_fill(uint8_t *bytes, size_t len);

/* A descriptor. Exits if nobody is there. */
int local_connect(void);
int tcp_connect(const char *addr, int port);

/* 1, or 0: no handshake. To be closed in any case. Exits likewise. */
int shot_open(struct shot *shot, const struct target *target);
void shot_close(struct shot *shot);

/* Errors are what is to be expected. */
void shot_send(struct shot *shot, const void *bytes, size_t len);

/* What comes back is of no interest; only that it has been taken in. */
void shot_drain(struct shot *shot, int ms);

/* With the certificate in `dir`; "-": with none. */
SSL_CTX *context_take(const char *dir);

/* Any numbers at all, in the order of the header; mark 0 stands for the right one. */
size_t frame_put(uint8_t *out, uint32_t mark, uint32_t vers, uint32_t kind, uint32_t proc,
                 uint32_t nfds, size_t body_len);

void member_run(int argc, char **argv);

#endif
