/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and certificates as objects and files, for the tls_*.c files alone. Functions that fail
 * put a reason into text[len] and return NULL or a negative errno. All that touch files block.
 */
#ifndef BPROC_TLS_CERT_H
#define BPROC_TLS_CERT_H

#include <stddef.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define CERT_NAME_MAX 32

/* Words for what OpenSSL reported last, in front of them "cannot DO". Returns -EIO. */
int cert_failed(char *text, size_t len, const char *what);

/* "master" or "node-N" in name[CERT_NAME_MAX]. */
void cert_name(int node, char *name);

/* Node in the certificate's only common name; TLS_NODE_NONE for anything else. */
int cert_node(const X509 *cert);

EVP_PKEY *cert_key_new(char *text, size_t len);

/* Owner and mode are checked: root or us, nobody else may read it. */
EVP_PKEY *cert_key_read(const char *path, char *text, size_t len);

int cert_key_write(const char *path, EVP_PKEY *key, char *text, size_t len);

X509 *cert_read(const char *path, char *text, size_t len);

/* First certificate of PEM text, NULL when there is none. */
X509 *cert_from_pem(const char *pem);

/* One PEM text (malloc'd) of one or two certificates; NULL when out of memory. */
char *cert_to_pem(X509 *cert, X509 *issuer);

/*
 * A certificate for `key`: the authority's own when issuer is NULL, else one for `node` of the
 * cluster, for both ends of a connection, signed with issuer_key.
 */
X509 *cert_make(EVP_PKEY *key, int node, X509 *issuer, EVP_PKEY *issuer_key, char *text,
                size_t len);

/* 0 when `cert` was signed by `ca` and ca is an authority; -EACCES. */
int cert_check(X509 *cert, X509 *ca);

/* SHA-256 of the subject public key info. 0 or -EIO. */
int cert_key_hash(X509 *cert, uint8_t hash[32]);

#endif
