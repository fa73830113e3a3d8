/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "common/tls.h"
#include "common/tls_cert.h"

/* All are strong enough, so the first one is that which takes the least time for each byte. */
#define SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

static int members_load(SSL_CTX *ctx, const char *dir, char *text, size_t len)
{
    char path[PATH_MAX];
    EVP_PKEY *key;
    int done;

    snprintf(path, sizeof(path), "%s/key.pem", dir);
    key = cert_key_read(path, text, len);
    if (!key)
        return -EIO;
    snprintf(path, sizeof(path), "%s/cert.pem", dir);
    done = SSL_CTX_use_certificate_chain_file(ctx, path) == 1;
    if (!done)
        cert_failed(text, len, "read the certificate");
    else if (SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
        done = (cert_failed(text, len, "use the key with the certificate"), 0);
    EVP_PKEY_free(key);
    if (!done)
        return -EIO;
    snprintf(path, sizeof(path), "%s/ca.pem", dir);
    if (SSL_CTX_load_verify_file(ctx, path) != 1)
        return cert_failed(text, len, "read the authority's certificate");
    return 0;
}

static int verify_mode(enum tls_verify verify)
{
    switch (verify) {
    case TLS_VERIFY_PEER:
        return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    case TLS_VERIFY_OPTIONAL:
        return SSL_VERIFY_PEER;
    default:
        return SSL_VERIFY_NONE;
    }
}

SSL_CTX *tls_context(const char *dir, int server, enum tls_verify verify, char *text, size_t len)
{
    SSL_CTX *ctx = SSL_CTX_new_ex(NULL, TLS_PREFERENCE,
                                  server ? TLS_server_method() : TLS_client_method());

    if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, SUITES) != 1) {
        SSL_CTX_free(ctx);
        cert_failed(text, len, "set up TLS");
        return NULL;
    }
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    /* A certificate is asked for at every connection: a resumed one would skip that. */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_verify(ctx, verify_mode(verify), NULL);
    if (dir && members_load(ctx, dir, text, len) < 0) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

int tls_peer_node(SSL *ssl)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);

    if (!cert || SSL_get_verify_result(ssl) != X509_V_OK)
        return TLS_NODE_NONE;
    return cert_node(cert);
}

int tls_node_number(int node)
{
    return node == TLS_NODE_HOME ? TLS_NODE_MASTER : node;
}

int tls_cert_node(SSL_CTX *ctx, X509 *cert)
{
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    int good = check && X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(ctx), cert, NULL) == 1 &&
               X509_verify_cert(check) == 1;

    X509_STORE_CTX_free(check);
    return good ? cert_node(cert) : TLS_NODE_NONE;
}

int tls_own_node(SSL_CTX *ctx)
{
    X509 *cert = SSL_CTX_get0_certificate(ctx);

    return cert ? cert_node(cert) : TLS_NODE_NONE;
}

int tls_peer_ca_hash(SSL *ssl, uint8_t hash[32])
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    X509 *cert = SSL_get0_peer_certificate(ssl);
    X509 *ca;

    if (!chain || !cert || sk_X509_num(chain) < 2)
        return -EACCES;
    ca = sk_X509_value(chain, sk_X509_num(chain) - 1);
    /* Whoever has seen the authority's certificate can send it: the leaf must be its work, too. */
    if (cert_check(cert, ca) < 0 || cert_check(ca, ca) < 0)
        return -EACCES;
    /* Any node of the cluster could else stand in for the master at a join. */
    if (!SSL_is_server(ssl) && cert_node(cert) != TLS_NODE_MASTER)
        return -EACCES;
    return cert_key_hash(ca, hash);
}

int tls_file_ca_hash(const char *path, uint8_t hash[32])
{
    char text[200];
    X509 *cert = cert_read(path, text, sizeof(text));
    int error = cert ? cert_key_hash(cert, hash) : -ENOENT;

    X509_free(cert);
    return error;
}
