/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "common/fd.h"
#include "common/tls.h"
#include "common/tls_cert.h"
#include "proto/frame.h"

#define FILE_MAX (64 * 1024)
#define DAY (24L * 3600)
#define AUTHORITY_NAME "bproc cluster authority"
#define AUTHORITY_DAYS 7300
#define MEMBER_DAYS 3650

int cert_failed(char *text, size_t len, const char *what)
{
    unsigned long code = ERR_peek_last_error();

    snprintf(text, len, "cannot %s: %s", what,
             code ? ERR_reason_error_string(code) : "unknown failure");
    ERR_clear_error();
    return -EIO;
}

void cert_name(int node, char *name)
{
    if (node == TLS_NODE_MASTER)
        snprintf(name, CERT_NAME_MAX, "master");
    else if (node == TLS_NODE_HOME)
        snprintf(name, CERT_NAME_MAX, "home");
    else
        snprintf(name, CERT_NAME_MAX, "node-%d", node);
}

int cert_node(const X509 *cert)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    char name[CERT_NAME_MAX], again[CERT_NAME_MAX];
    char *end;
    long node;
    int n;

    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return TLS_NODE_NONE;
    n = X509_NAME_get_text_by_NID(subject, NID_commonName, name, sizeof(name));
    if (n <= 0 || strlen(name) != (size_t)n)
        return TLS_NODE_NONE;
    if (strcmp(name, "master") == 0)
        return TLS_NODE_MASTER;
    if (strcmp(name, "home") == 0)
        return TLS_NODE_HOME;
    if (strncmp(name, "node-", 5) != 0)
        return TLS_NODE_NONE;
    node = strtol(name + 5, &end, 10);
    if (*end || node < 0 || node >= BPROC_MAX_NODES)
        return TLS_NODE_NONE;
    cert_name((int)node, again);
    return strcmp(name, again) == 0 ? (int)node : TLS_NODE_NONE;
}

EVP_PKEY *cert_key_new(char *text, size_t len)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    if (!key)
        cert_failed(text, len, "make a key");
    return key;
}

EVP_PKEY *cert_key_read(const char *path, char *text, size_t len)
{
    struct stat st;
    char *pem = NULL;
    size_t size;
    EVP_PKEY *key;
    BIO *bio;
    int error = stat(path, &st) < 0 ? -errno : 0;

    if (!error && ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 077))) {
        snprintf(text, len, "cannot use key %s: it must belong to root and have mode 0600", path);
        return NULL;
    }
    if (!error)
        error = fd_read_file(path, FILE_MAX, &pem, &size);
    if (error) {
        snprintf(text, len, "cannot read key %s: %s", path, strerror(-error));
        return NULL;
    }
    bio = BIO_new_mem_buf(pem, (int)size);
    key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    OPENSSL_cleanse(pem, size);
    free(pem);
    if (!key)
        cert_failed(text, len, "decode the key file");
    return key;
}

int cert_key_write(const char *path, EVP_PKEY *key, char *text, size_t len)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *pem;
    long size;
    int error;

    if (!bio || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)) {
        BIO_free(bio);
        return cert_failed(text, len, "encode a key");
    }
    size = BIO_get_mem_data(bio, &pem);
    error = fd_write_file(path, pem, (size_t)size, 0600);
    if (error)
        snprintf(text, len, "cannot write key %s: %s", path, strerror(-error));
    BIO_free(bio);
    return error;
}

X509 *cert_from_pem(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return cert;
}

X509 *cert_read(const char *path, char *text, size_t len)
{
    char *pem;
    X509 *cert;
    int error = fd_read_file(path, FILE_MAX, &pem, NULL);

    if (error) {
        snprintf(text, len, "cannot read certificate %s: %s", path, strerror(-error));
        return NULL;
    }
    cert = cert_from_pem(pem);
    free(pem);
    if (!cert)
        snprintf(text, len, "cannot decode certificate %s", path);
    return cert;
}

char *cert_to_pem(X509 *cert, X509 *issuer)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes, *pem = NULL;
    long size;

    if (bio && PEM_write_bio_X509(bio, cert) && (!issuer || PEM_write_bio_X509(bio, issuer))) {
        size = BIO_get_mem_data(bio, &bytes);
        pem = strndup(bytes, (size_t)size);
    }
    BIO_free(bio);
    return pem;
}

static int extension_add(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    int done;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    done = extension && X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
    return done;
}

static int serial_set(X509 *cert)
{
    uint8_t bytes[16];
    BIGNUM *number;
    int done;

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return 0;
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
    number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return done;
}

static int extensions_set(X509 *cert, X509 *issuer, int is_authority)
{
    const char *basic = is_authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE";
    const char *usage = is_authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature";

    return extension_add(cert, issuer, NID_basic_constraints, basic) &&
           extension_add(cert, issuer, NID_key_usage, usage) &&
           extension_add(cert, issuer, NID_subject_key_identifier, "hash") &&
           extension_add(cert, issuer, NID_authority_key_identifier, "keyid") &&
           (is_authority ||
            extension_add(cert, issuer, NID_ext_key_usage, "serverAuth,clientAuth"));
}

X509 *cert_make(EVP_PKEY *key, int node, X509 *issuer, EVP_PKEY *issuer_key, char *text,
                size_t len)
{
    int is_authority = issuer == NULL;
    char name[CERT_NAME_MAX] = AUTHORITY_NAME;
    X509 *cert = X509_new();
    X509_NAME *subject = cert ? X509_get_subject_name(cert) : NULL;

    if (!is_authority)
        cert_name(node, name);
    /* Nodes without a battery-backed clock start in the past. */
    if (cert && X509_set_version(cert, X509_VERSION_3) && serial_set(cert) &&
        X509_gmtime_adj(X509_getm_notBefore(cert), is_authority ? -2 * DAY : -DAY) &&
        X509_gmtime_adj(X509_getm_notAfter(cert),
                        DAY * (is_authority ? AUTHORITY_DAYS : MEMBER_DAYS)) &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (unsigned char *)name, -1, -1,
                                   0) &&
        X509_set_issuer_name(cert, is_authority ? subject : X509_get_subject_name(issuer)) &&
        X509_set_pubkey(cert, key) &&
        extensions_set(cert, is_authority ? cert : issuer, is_authority) &&
        X509_sign(cert, is_authority ? key : issuer_key, EVP_sha256()))
        return cert;
    X509_free(cert);
    cert_failed(text, len, "make a certificate");
    return NULL;
}

int cert_check(X509 *cert, X509 *ca)
{
    EVP_PKEY *key = X509_get0_pubkey(ca);
    int good = key && X509_check_ca(ca) == 1 && X509_check_issued(ca, cert) == X509_V_OK &&
               X509_verify(cert, key) == 1;

    ERR_clear_error();
    return good ? 0 : -EACCES;
}

int cert_key_hash(X509 *cert, uint8_t hash[32])
{
    uint8_t *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

    if (len <= 0)
        return -EIO;
    SHA256(der, (size_t)len, hash);
    OPENSSL_free(der);
    return 0;
}
