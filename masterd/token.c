/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "common/tls.h"
#include "masterd/listen.h"
#include "masterd/master.h"
#include "masterd/store.h"
#include "masterd/token.h"

#define TOKEN_BYTES 24
#define TTL_DEFAULT (24u * 3600)
#define TTL_MAX (366u * 24 * 3600)

static void token_hash(const char *token, uint8_t hash[BPROC_HASH_LEN])
{
    SHA256((const unsigned char *)token, strlen(token), hash);
}

static int token_text(char *text)
{
    uint8_t bytes[TOKEN_BYTES];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return -EIO;
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static int host_text(char *text, size_t len)
{
    struct in_addr in = { .s_addr = htonl(listen_address()) };

    if (!inet_ntop(AF_INET, &in, text, (socklen_t)len))
        return -errno;
    return 0;
}

int token_create(int node, unsigned ttl_seconds, token_ret *ret)
{
    char path[PATH_MAX + 16], token[2 * TOKEN_BYTES + 1], host[64];
    uint8_t hash[BPROC_HASH_LEN];
    unsigned ttl = ttl_seconds == 0 ? TTL_DEFAULT : ttl_seconds > TTL_MAX ? TTL_MAX : ttl_seconds;
    int error;

    snprintf(path, sizeof(path), "%s/ca/cert.pem", master.conf->state_dir);
    error = tls_file_ca_hash(path, (uint8_t *)ret->ca_hash);
    if (!error)
        error = token_text(token);
    if (!error)
        error = host_text(host, sizeof(host));
    if (error)
        return error;
    token_hash(token, hash);
    error = store_token_add(hash, node, time(NULL) + (time_t)ttl);
    if (error)
        return error;
    ret->token = strdup(token);
    ret->host = strdup(host);
    ret->port = (unsigned)master.conf->port;
    return ret->token && ret->host ? 0 : -ENOMEM;
}

int token_use(const char *token, int *node)
{
    uint8_t hash[BPROC_HASH_LEN];

    token_hash(token, hash);
    return store_token_use(hash, time(NULL), node);
}

int token_give_back(const char *token)
{
    uint8_t hash[BPROC_HASH_LEN];

    token_hash(token, hash);
    return store_token_give_back(hash);
}
