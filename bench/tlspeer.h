/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS 1.3 with AES-128-GCM over TCP for the benchmarks: what both ends of a connection share.
 * Whatever goes wrong ends the program with a message.
 */
#ifndef BENCH_TLSPEER_H
#define BENCH_TLSPEER_H

#include <openssl/ssl.h>

/* Connects. Blocks until the handshake is done. */
SSL *tlspeer_connect(const char *host, const char *port);

/*
 * Serves for ever: has `serve` called for each connection in a process of its own, which ends with
 * it. Certificate and key are in the file `pem`.
 */
_Noreturn void tlspeer_serve(const char *pem, const char *port, void (*serve)(SSL *tls, void *arg),
                             void *arg);

/*
 * For large amounts: up to `piece` bytes with each system call. What is written waits until there
 * are so many, or for BIO_flush() of the BIO for writing.
 */
void tlspeer_widen(SSL *tls, size_t piece);

#endif
