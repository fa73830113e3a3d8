/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include "common/fd.h"
#include "common/log.h"
#include "common/tls.h"
#include "masterd/join.h"
#include "masterd/master.h"
#include "masterd/token.h"

static struct log_limit join_limit;

static int cert_digest(X509 *cert, uint8_t hash[BPROC_HASH_LEN])
{
    unsigned len = BPROC_HASH_LEN;

    return cert && X509_digest(cert, EVP_sha256(), hash, &len) == 1 ? 0 : -EIO;
}

static int pem_digest(const char *pem, uint8_t hash[BPROC_HASH_LEN])
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    int error = cert_digest(cert, hash);

    X509_free(cert);
    BIO_free(bio);
    return error;
}

int join_certificate_is_current(const struct node *node, SSL *ssl)
{
    uint8_t hash[BPROC_HASH_LEN];

    if (!node->joined)
        return 1;
    return cert_digest(SSL_get0_peer_certificate(ssl), hash) == 0 &&
           memcmp(hash, node->cert, sizeof(hash)) == 0;
}

/* The number that the configuration gives this address, else the lowest that nobody has. */
static struct node *number_choose(uint32_t addr)
{
    int number = conf_node_of(master.conf, addr);

    if (number >= 0)
        return node_find(number);
    for (number = 0; number < nodetable_size(); number++) {
        struct node *node = node_find(number);

        if (!node->joined && !node->link && conf_addr_of(master.conf, number) == 0)
            return node;
    }
    return NULL;
}

static const char *token_reason(int error)
{
    switch (error) {
    case -ENOENT:
        return "unknown token";
    case -EALREADY:
        return "the token was used already";
    case -ETIME:
        return "the token has expired";
    default:
        return "the state database cannot be used";
    }
}

/* The node is known by this certificate from now on; one that it had before is worth nothing. */
static int certificate_record(struct node *node, const char *pem)
{
    struct node before = *node;

    node->joined = 1;
    if (pem_digest(pem, node->cert) == 0 && node_store(node) == 0)
        return 0;
    node->joined = before.joined;
    memcpy(node->cert, before.cert, sizeof(node->cert));
    return -EIO;
}

/* The certificate for who has shown a good token. */
static int certificate_give(const join_arg *arg, int number, uint32_t addr, join_ret *ret,
                            char *text, size_t len)
{
    char path[PATH_MAX + 16];
    struct node *node;
    uint32_t configured;
    int error;

    node = number >= 0 ? node_find(number) : number_choose(addr);
    if (!node) {
        snprintf(text, len, "no node number is free");
        return -ENOSPC;
    }
    /* Its link would be refused, and the node that has the number would have lost it. */
    configured = conf_addr_of(master.conf, node->number);
    if (configured && configured != addr) {
        snprintf(text, len, "the configuration gives node %d another address", node->number);
        return -EACCES;
    }
    ret->node = node->number;
    snprintf(path, sizeof(path), "%s/ca/cert.pem", master.conf->state_dir);
    error = fd_read_file(path, BPROC_MAX_PEM, &ret->ca, NULL);
    if (error) {
        snprintf(text, len, "cannot read the authority's certificate: %s", strerror(-error));
        return error;
    }
    error = tls_sign(master.conf->state_dir, arg->csr, node->number, &ret->cert, text, len);
    if (!error && certificate_record(node, ret->cert) < 0) {
        snprintf(text, len, "the state database cannot be written");
        error = -EIO;
    }
    return error;
}

/* Fills *ret with malloc'd text. 0, or -errno with a reason. */
static int join_perform(const join_arg *arg, uint32_t addr, join_ret *ret, char *text, size_t len)
{
    int number;
    int error = token_use(arg->token, &number);

    if (error) {
        snprintf(text, len, "%s", token_reason(error));
        return -EACCES;
    }
    error = certificate_give(arg, number, addr, ret, text, len);
    if (error)
        token_give_back(arg->token);
    return error;
}

int join_answer(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                uint32_t addr, const char *name)
{
    char text[300] = "";
    join_ret ret = { 0 };
    join_arg arg;
    int error = conn_decode(join_arg, header, body, &arg);

    if (error)
        return error;
    error = join_perform(&arg, addr, &ret, text, sizeof(text));
    if (error) {
        log_limited(&join_limit, 20, "refused to let %s join: %s", name, text);
        conn_refuse(conn, header, error, "%s", text);
    } else {
        log_info("node %d: joined from %s", ret.node, name);
        conn_reply(conn, header, FRAME_XDR(join_ret), &ret);
    }
    free(ret.ca);
    free(ret.cert);
    frame_free(FRAME_XDR(join_arg), &arg, sizeof(arg));
    return 0;
}
