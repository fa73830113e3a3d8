/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/pem.h>

#include "common/fd.h"
#include "common/tls.h"
#include "common/tls_cert.h"

struct tls_authority {
    X509 *cert;
    EVP_PKEY *key;
    char *pem;          /* of cert */
};

static int pem_write(const char *dir, const char *name, X509 *cert, X509 *issuer, char *text,
                     size_t len)
{
    char path[PATH_MAX];
    char *pem = cert_to_pem(cert, issuer);
    int error = -ENOMEM;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (pem)
        error = fd_write_file(path, pem, strlen(pem), 0644);
    if (error)
        snprintf(text, len, "cannot write %s: %s", path, strerror(-error));
    free(pem);
    return error;
}

static int folder_make(const char *state_dir, const char *name, char *path, char *text, size_t len)
{
    int error;

    snprintf(path, PATH_MAX, "%s/%s", state_dir, name);
    error = fd_mkdirs(path, 0700);
    if (error)
        snprintf(text, len, "cannot make %s: %s", path, strerror(-error));
    return error;
}

/* The chain that the master shows includes the authority, whose hash a joining node checks. */
static int master_write(const char *state_dir, EVP_PKEY *ca_key, X509 *ca, char *text, size_t len)
{
    char dir[PATH_MAX], path[PATH_MAX + 16];
    EVP_PKEY *key = cert_key_new(text, len);
    X509 *cert = key ? cert_make(key, TLS_NODE_MASTER, ca, ca_key, text, len) : NULL;
    int error = cert ? folder_make(state_dir, "tls", dir, text, len) : -EIO;

    if (!error) {
        snprintf(path, sizeof(path), "%s/key.pem", dir);
        error = cert_key_write(path, key, text, len);
    }
    if (!error)
        error = pem_write(dir, "cert.pem", cert, ca, text, len);
    if (!error)
        error = pem_write(dir, "ca.pem", ca, NULL, text, len);
    X509_free(cert);
    EVP_PKEY_free(key);
    return error;
}

int tls_ca_init(const char *state_dir, char *text, size_t len)
{
    char dir[PATH_MAX], path[PATH_MAX + 16];
    EVP_PKEY *key;
    X509 *ca;
    int error = folder_make(state_dir, "ca", dir, text, len);

    if (error)
        return error;
    snprintf(path, sizeof(path), "%s/key.pem", dir);
    if (access(path, F_OK) == 0) {
        snprintf(text, len, "there is an authority already: %s", path);
        return -EEXIST;
    }
    key = cert_key_new(text, len);
    ca = key ? cert_make(key, TLS_NODE_NONE, NULL, NULL, text, len) : NULL;
    error = ca ? master_write(state_dir, key, ca, text, len) : -EIO;
    if (!error)
        error = pem_write(dir, "cert.pem", ca, NULL, text, len);
    /* Last: the key is what says that there is an authority. */
    if (!error)
        error = cert_key_write(path, key, text, len);
    X509_free(ca);
    EVP_PKEY_free(key);
    return error;
}

/* The public key of a request that is signed with its private half; NULL. */
static EVP_PKEY *request_key(const char *csr)
{
    BIO *bio = BIO_new_mem_buf(csr, -1);
    X509_REQ *request = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = request ? X509_REQ_get_pubkey(request) : NULL;

    if (key && (X509_REQ_verify(request, key) != 1 || !EVP_PKEY_is_a(key, "EC") ||
                EVP_PKEY_get_bits(key) != 256)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    X509_REQ_free(request);
    BIO_free(bio);
    return key;
}

struct tls_authority *tls_authority_load(const char *state_dir, char *text, size_t len)
{
    struct tls_authority *authority = calloc(1, sizeof(*authority));
    char path[PATH_MAX];

    if (!authority) {
        snprintf(text, len, "out of memory");
        return NULL;
    }
    snprintf(path, sizeof(path), "%s/ca/key.pem", state_dir);
    authority->key = cert_key_read(path, text, len);
    snprintf(path, sizeof(path), "%s/ca/cert.pem", state_dir);
    if (authority->key)
        authority->cert = cert_read(path, text, len);
    if (authority->cert) {
        authority->pem = cert_to_pem(authority->cert, NULL);
        if (!authority->pem)
            snprintf(text, len, "out of memory");
    }
    if (authority->pem)
        return authority;
    tls_authority_free(authority);
    return NULL;
}

void tls_authority_free(struct tls_authority *authority)
{
    if (!authority)
        return;
    X509_free(authority->cert);
    EVP_PKEY_free(authority->key);
    free(authority->pem);
    free(authority);
}

const char *tls_authority_pem(const struct tls_authority *authority)
{
    return authority->pem;
}

int tls_sign(const struct tls_authority *authority, const char *csr, int node, char **cert,
             char *text, size_t len)
{
    EVP_PKEY *key = request_key(csr);
    X509 *made;

    *cert = NULL;
    if (!key) {
        cert_failed(text, len, "use the certificate request");
        return -EINVAL;
    }
    made = cert_make(key, node, authority->cert, authority->key, text, len);
    if (made)
        *cert = cert_to_pem(made, NULL);
    X509_free(made);
    EVP_PKEY_free(key);
    return *cert ? 0 : -EIO;
}
