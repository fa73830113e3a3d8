/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS 1.3 between the machines of one cluster. The cluster has a certificate authority of its own;
 * the master's certificate carries the common name "master", node 3's "node-3", nothing else is
 * accepted. Keys are EC P-256, made where they are used, mode 0600.
 *
 * Files in a directory (masterd: STATE/tls, slaved: STATE/tls): key.pem cert.pem ca.pem; the
 * authority's own key is STATE/ca/key.pem on the master only.
 */
#ifndef BPROC_TLS_H
#define BPROC_TLS_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/ssl.h>

#define TLS_NODE_MASTER (-1)
#define TLS_NODE_HOME (-2)      /* the master's own slave */
#define TLS_NODE_NONE (-3)

/*
 * What a provider of OpenSSL can say of its algorithms for our contexts to prefer them. The name of
 * a provider would overrule what the machine's configuration says of that.
 */
#define TLS_TRAIT "bproc.wide=yes"
#define TLS_PREFERENCE "?" TLS_TRAIT

enum tls_verify {
    TLS_VERIFY_PEER,        /* both ends show a certificate of the cluster */
    TLS_VERIFY_OPTIONAL,    /* server: a peer without certificate may come in to join */
    TLS_VERIFY_NONE         /* client that joins: it checks the authority's hash instead */
};

/*
 * A context with the key and certificates of `dir` (NULL: none, for a joining client).
 * The key file must belong to root and not be readable by others. NULL with a reason in
 * text[len]. Blocking (reads files).
 */
SSL_CTX *tls_context(const char *dir, int server, enum tls_verify verify, char *text, size_t len);

/* Node number in the verified certificate of the peer: TLS_NODE_MASTER, 0…, or TLS_NODE_NONE. */
int tls_peer_node(SSL *ssl);

/* The number by which the cluster knows such a place: the master and its slave are one. */
int tls_node_number(int node);

/*
 * Node number in a certificate that came by another way, if the context's authority has signed it;
 * as tls_peer_node().
 */
int tls_cert_node(SSL_CTX *ctx, X509 *cert);

/* Node number in the context's own certificate; as tls_peer_node(). */
int tls_own_node(SSL_CTX *ctx);

/*
 * SHA-256 of the subject public key info of the authority that the peer's chain ends in and that
 * signed its certificate. A client gets it of a master only. 0; -EACCES when that is not so.
 */
int tls_peer_ca_hash(SSL *ssl, uint8_t hash[32]);

/* The same for a PEM file. 0/-errno. */
int tls_file_ca_hash(const char *path, uint8_t hash[32]);

/* Makes the authority below `state_dir` and the master's own key and certificate.
 * 0; -EEXIST when there is one already; else -errno with a reason. */
int tls_ca_init(const char *state_dir, char *text, size_t len);

/* Makes a key in dir/key.pem (0600, never overwritten by a failed join: key.pem.new until
 * tls_join_finish) and returns a certificate request in PEM (malloc'd). */
int tls_join_begin(const char *dir, char **csr, char *text, size_t len);

/* Checks that cert belongs to that key and names `node`, then moves all into place. */
int tls_join_finish(const char *dir, int node, const char *cert, const char *ca,
                    char *text, size_t len);

/* The authority, ready to sign. */
struct tls_authority;

/* Reads it from below state_dir; tls_authority_free() ends it. NULL with a reason. Blocks. */
struct tls_authority *tls_authority_load(const char *state_dir, char *text, size_t len);
void tls_authority_free(struct tls_authority *authority);

/* Its certificate in PEM, borrowed. */
const char *tls_authority_pem(const struct tls_authority *authority);

/* Signs a request for `node`; *cert malloc'd PEM. Only the public key is taken from the request. */
int tls_sign(const struct tls_authority *authority, const char *csr, int node, char **cert,
             char *text, size_t len);

#endif
