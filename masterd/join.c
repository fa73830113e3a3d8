/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include "common/log.h"
#include "common/tls.h"
#include "masterd/join.h"
#include "masterd/master.h"
#include "masterd/token.h"

#define GATHER_MS 20        /* a disk may take as long for one commit */
#define JOINS_A_TURN 16

/* Somebody who wants to join, from his call to our answer. */
struct join {
    STAILQ_ENTRY(join) next;
    struct conn *conn;
    struct frame_header header;
    join_arg arg;
    uint32_t addr;
    char name[64];
    int error;                  /* 0 or -errno, with text */
    char text[300];
    char *cert;
    struct node *node;          /* NULL: nothing was changed */
    int joined_before;
    uint8_t cert_before[BPROC_HASH_LEN];
};

STAILQ_HEAD(join_queue, join);

static struct join_queue joins = STAILQ_HEAD_INITIALIZER(joins);
static struct event *on_gathered;
static struct tls_authority *authority;
static struct log_limit join_limit;

static int cert_digest(X509 *cert, uint8_t hash[BPROC_HASH_LEN])
{
    unsigned len = BPROC_HASH_LEN;

    return cert && X509_digest(cert, EVP_sha256(), hash, &len) == 1 ? 0 : -EIO;
}

/* The digest is that of the encoded certificate: nothing has to be decoded but the text. */
static int pem_digest(const char *pem, uint8_t hash[BPROC_HASH_LEN])
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long len;
    int done = bio && PEM_read_bio(bio, &name, &header, &der, &len) == 1;

    if (done)
        SHA256(der, (size_t)len, hash);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(bio);
    return done ? 0 : -EIO;
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
static int certificate_record(struct join *join, struct node *node)
{
    join->node = node;
    join->joined_before = node->joined;
    memcpy(join->cert_before, node->cert, sizeof(node->cert));
    node->joined = 1;
    return pem_digest(join->cert, node->cert) == 0 && node_store(node) == 0 ? 0 : -EIO;
}

static void certificate_take_back(struct join *join)
{
    if (!join->node)
        return;
    join->node->joined = join->joined_before;
    memcpy(join->node->cert, join->cert_before, sizeof(join->cert_before));
    join->node = NULL;
}

/* The certificate for who has shown a good token. */
static int certificate_give(struct join *join, int number)
{
    struct node *node = number >= 0 ? node_find(number) : number_choose(join->addr);
    uint32_t configured;
    int error;

    if (!node) {
        snprintf(join->text, sizeof(join->text), "no node number is free");
        return -ENOSPC;
    }
    /* Its link would be refused, and the node that has the number would have lost it. */
    configured = conf_addr_of(master.conf, node->number);
    if (configured && configured != join->addr) {
        snprintf(join->text, sizeof(join->text), "the configuration gives node %d another address",
                 node->number);
        return -EACCES;
    }
    if (!authority)
        authority = tls_authority_load(master.conf->state_dir, join->text, sizeof(join->text));
    if (!authority)
        return -EIO;
    error = tls_sign(authority, join->arg.csr, node->number, &join->cert, join->text,
                     sizeof(join->text));
    if (!error && certificate_record(join, node) < 0) {
        snprintf(join->text, sizeof(join->text), "the state database cannot be written");
        error = -EIO;
    }
    return error;
}

static void join_perform(struct join *join)
{
    int number;
    int error = token_use(join->arg.token, &number);

    if (error) {
        snprintf(join->text, sizeof(join->text), "%s", token_reason(error));
        join->error = -EACCES;
        return;
    }
    join->error = certificate_give(join, number);
    if (!join->error)
        return;
    certificate_take_back(join);
    token_give_back(join->arg.token);
}

static void join_free(struct join *join)
{
    frame_free(FRAME_XDR(join_arg), &join->arg, sizeof(join->arg));
    free(join->cert);
    free(join);
}

static void join_answer(struct join *join)
{
    if (join->error) {
        log_limited(&join_limit, 20, "refused to let %s join: %s", join->name, join->text);
        conn_refuse(join->conn, &join->header, join->error, "%s", join->text);
    } else {
        join_ret ret = { .node = join->node->number, .cert = join->cert,
                         .ca = (char *)(uintptr_t)tls_authority_pem(authority) };

        log_info("node %d: joined from %s", ret.node, join->name);
        conn_reply(join->conn, &join->header, FRAME_XDR(join_ret), &ret);
    }
    conn_close_after_send(join->conn);
    join_free(join);
}

/* None of them counts; the last first, as two may have had the same number. */
static void joins_take_back(struct join **list, unsigned count)
{
    while (count-- > 0) {
        if (list[count]->error)
            continue;
        certificate_take_back(list[count]);
        snprintf(list[count]->text, sizeof(list[count]->text),
                 "the state database cannot be written");
        list[count]->error = -EIO;
    }
}

static void joins_run(evutil_socket_t fd, short what, void *arg)
{
    struct timeval now = { 0, 0 };
    struct join *list[JOINS_A_TURN];
    unsigned count = 0;
    int written;

    (void)fd;
    (void)what;
    (void)arg;
    while (count < JOINS_A_TURN && !STAILQ_EMPTY(&joins)) {
        list[count++] = STAILQ_FIRST(&joins);
        STAILQ_REMOVE_HEAD(&joins, next);
    }
    written = store_begin() == 0;
    for (unsigned i = 0; written && i < count; i++)
        join_perform(list[i]);
    if (!written || store_commit() < 0)
        joins_take_back(list, count);
    for (unsigned i = 0; i < count; i++)
        join_answer(list[i]);
    if (!STAILQ_EMPTY(&joins))
        event_add(on_gathered, &now);
}

int join_begin(struct conn *conn, const struct frame_header *header, const uint8_t *body,
               uint32_t addr, const char *name)
{
    struct timeval wait = { 0, GATHER_MS * 1000 };
    struct join *join;

    STAILQ_FOREACH(join, &joins, next)
        if (join->conn == conn)
            return -EPROTO;
    if (!on_gathered)
        on_gathered = evtimer_new(master.base, joins_run, NULL);
    join = calloc(1, sizeof(*join));
    if (!on_gathered || !join || conn_decode(join_arg, header, body, &join->arg) < 0) {
        free(join);
        return -EPROTO;
    }
    join->conn = conn;
    join->header = *header;
    join->addr = addr;
    snprintf(join->name, sizeof(join->name), "%s", name);
    STAILQ_INSERT_TAIL(&joins, join, next);
    if (!event_pending(on_gathered, EV_TIMEOUT, NULL))
        event_add(on_gathered, &wait);
    return 0;
}

void join_cancel(const struct conn *conn)
{
    struct join *join;

    STAILQ_FOREACH(join, &joins, next)
        if (join->conn == conn)
            break;
    if (!join)
        return;
    STAILQ_REMOVE(&joins, join, join, next);
    join_free(join);
}

void join_stop(void)
{
    while (!STAILQ_EMPTY(&joins))
        join_cancel(STAILQ_FIRST(&joins)->conn);
    if (on_gathered)
        event_free(on_gathered);
    on_gathered = NULL;
    tls_authority_free(authority);
    authority = NULL;
}
