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

static char *request_pem(EVP_PKEY *key)
{
    X509_REQ *request = X509_REQ_new();
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes, *pem = NULL;

    if (request && bio && X509_REQ_set_pubkey(request, key) &&
        X509_REQ_sign(request, key, EVP_sha256()) && PEM_write_bio_X509_REQ(bio, request)) {
        long size = BIO_get_mem_data(bio, &bytes);

        pem = strndup(bytes, (size_t)size);
    }
    BIO_free(bio);
    X509_REQ_free(request);
    return pem;
}

int tls_join_begin(const char *dir, char **csr, char *text, size_t len)
{
    char path[PATH_MAX];
    EVP_PKEY *key;
    int error = fd_mkdirs(dir, 0700);

    *csr = NULL;
    if (error) {
        snprintf(text, len, "cannot make %s: %s", dir, strerror(-error));
        return error;
    }
    key = cert_key_new(text, len);
    if (!key)
        return -EIO;
    snprintf(path, sizeof(path), "%s/key.pem.new", dir);
    error = cert_key_write(path, key, text, len);
    if (!error)
        *csr = request_pem(key);
    if (!error && !*csr)
        error = cert_failed(text, len, "make a certificate request");
    EVP_PKEY_free(key);
    return error;
}

static int answer_check(EVP_PKEY *key, int node, X509 *cert, X509 *ca, char *text, size_t len)
{
    const char *wrong = !cert || !ca                               ? "it does not decode"
                        : EVP_PKEY_eq(key, X509_get0_pubkey(cert)) != 1 ? "it is for another key"
                        : cert_node(cert) != node                  ? "it names another node"
                        : cert_check(cert, ca) < 0 ? "the authority did not sign it"
                                                   : NULL;

    if (!wrong)
        return 0;
    snprintf(text, len, "cannot use the certificate: %s", wrong);
    return -EACCES;
}

static int answer_write(const char *dir, const char *cert, const char *ca, char *text, size_t len)
{
    char path[PATH_MAX], path_new[PATH_MAX + 8];
    int error;

    snprintf(path, sizeof(path), "%s/ca.pem", dir);
    error = fd_write_file(path, ca, strlen(ca), 0644);
    snprintf(path, sizeof(path), "%s/cert.pem", dir);
    if (!error)
        error = fd_write_file(path, cert, strlen(cert), 0644);
    snprintf(path, sizeof(path), "%s/key.pem", dir);
    snprintf(path_new, sizeof(path_new), "%s.new", path);
    if (!error && rename(path_new, path) < 0)
        error = -errno;
    if (error)
        snprintf(text, len, "cannot write %s: %s", path, strerror(-error));
    return error;
}

int tls_join_finish(const char *dir, int node, const char *cert, const char *ca,
                    char *text, size_t len)
{
    char path[PATH_MAX];
    X509 *cert_object = cert_from_pem(cert), *ca_object = cert_from_pem(ca);
    EVP_PKEY *key;
    int error = -EIO;

    snprintf(path, sizeof(path), "%s/key.pem.new", dir);
    key = cert_key_read(path, text, len);
    if (key)
        error = answer_check(key, node, cert_object, ca_object, text, len);
    if (!error)
        error = answer_write(dir, cert, ca, text, len);
    EVP_PKEY_free(key);
    X509_free(cert_object);
    X509_free(ca_object);
    return error;
}
