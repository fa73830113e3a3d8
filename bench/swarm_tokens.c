/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/swarm_tokens.h"
#include "libbproc/client.h"
#include "proto/msg.h"

#define TTL_SECONDS 3600

static int has_keys(const struct swarm_options *options, int number)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%d/key.pem", options->keys, number);
    return access(path, F_OK) == 0;
}

static void master_set(struct swarm_options *options, const char *host, unsigned port)
{
    if (options->master.sin_port == 0)
        options->master.sin_port = htons((uint16_t)port);
    if (options->master.sin_addr.s_addr == 0 &&
        inet_pton(AF_INET, host, &options->master.sin_addr) != 1)
        errx(1, "cannot use the master's address %s: it is no IPv4 address", host);
}

static void hash_read(uint8_t hash[BPROC_HASH_LEN], const char *hex)
{
    for (int i = 0; i < BPROC_HASH_LEN; i++)
        if (sscanf(hex + 2 * i, "%2hhx", &hash[i]) != 1)
            errx(1, "cannot use the hash %s: it is not that of a SHA-256", hex);
}

static char *token_ask(struct swarm_options *options, int number)
{
    token_arg arg = { .node = number, .ttl_seconds = TTL_SECONDS };
    char text[BPROC_MAX_TEXT + 1] = "";
    token_ret ret;
    char *token;
    int fd = client_open();
    int error = fd < 0 ? fd : msg_call(fd, P_TOKEN_CREATE, FRAME_XDR(token_arg), &arg, NULL, 0,
                                       FRAME_XDR(token_ret), &ret, sizeof(ret), text, sizeof(text));

    client_close(fd);
    if (error)
        errx(1, "cannot get a token for node %d: %s", number, *text ? text : strerror(-error));
    master_set(options, ret.host, ret.port);
    memcpy(options->ca_hash, ret.ca_hash, sizeof(options->ca_hash));
    token = strdup(ret.token);
    frame_free(FRAME_XDR(token_ret), &ret, sizeof(ret));
    return token;
}

static char *token_read(struct swarm_options *options, FILE *file)
{
    char host[64], token[BPROC_MAX_TOKEN + 1], hash[2 * BPROC_HASH_LEN + 1];
    unsigned port;

    if (fscanf(file, " slaved --join %63[^:]:%u --token %64s --ca-hash sha256:%64s", host, &port,
               token, hash) != 4)
        errx(1, "cannot find another token in the file: lines of `bpctl token create' are needed");
    master_set(options, host, port);
    hash_read(options->ca_hash, hash);
    return strdup(token);
}

void tokens_get(struct swarm_options *options, const char *name)
{
    FILE *file = name ? fopen(name, "re") : NULL;

    if (name && !file)
        err(1, "cannot open %s", name);
    options->tokens = calloc((size_t)options->count, sizeof(*options->tokens));
    if (!options->tokens)
        err(1, "cannot hold %d tokens", options->count);
    for (int i = 0; i < options->count; i++) {
        if (has_keys(options, options->first + i))
            continue;
        options->tokens[i] = file ? token_read(options, file)
                                  : token_ask(options, options->first + i);
        if (!options->tokens[i])
            err(1, "cannot hold %d tokens", options->count);
    }
    if (file)
        fclose(file);
    if (options->master.sin_addr.s_addr == 0 || options->master.sin_port == 0)
        errx(1, "all nodes have their keys: --master has to say where the master is");
}
