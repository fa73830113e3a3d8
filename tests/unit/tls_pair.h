/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two connections on one event loop that meet by TLS, with the keys of clusters that a test makes
 * under `root`, for the unit tests.
 */
#ifndef TESTS_TLS_PAIR_H
#define TESTS_TLS_PAIR_H

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/conn.h"
#include "common/tls.h"
#include "tests/unit/tap.h"

#define END_FIELDS \
    int ready; \
    int node; \
    uint8_t hash[32]; \
    int hash_result; \
    size_t bytes;
#include "tests/unit/conn_loop.h"

static char root[] = "/tmp/test_tls.XXXXXX";

static const char *path_of(const char *cluster, const char *name)
{
    static char paths[4][200];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s/%s", root, cluster, name);
    return path;
}

static void end_message(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                        int *fds, void *arg)
{
    struct end *end = arg;

    (void)body;
    (void)fds;
    end->messages++;
    end->bytes += header->body_len;
    if (header->kind == K_CALL)
        conn_reply(conn, header, NULL, NULL);
}

static void end_ready(struct conn *conn, void *arg)
{
    struct end *end = arg;

    end->ready = 1;
    end->node = tls_peer_node(conn_ssl(conn));
    end->hash_result = tls_peer_ca_hash(conn_ssl(conn), end->hash);
}

static const struct conn_ops end_ops = { end_message, end_closed, end_ready };

/* Server with the keys of `theirs`, client with those of `ours` (NULL: it joins). */
static void meet(struct end *server, const char *theirs, enum tls_verify verify,
                 struct end *client, const char *ours)
{
    char text[200];
    SSL_CTX *server_ctx = tls_context(theirs, 1, verify, text, sizeof(text));
    SSL_CTX *client_ctx = tls_context(ours, 0, ours ? TLS_VERIFY_PEER : TLS_VERIFY_NONE, text,
                                      sizeof(text));
    int pair[2];

    memset(server, 0, sizeof(*server));
    memset(client, 0, sizeof(*client));
    if (!server_ctx || !client_ctx || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        diag("%s", text);
        exit(1);
    }
    server->conn = conn_new_tls(base, pair[0], server_ctx, 1, 60, &end_ops, server);
    client->conn = conn_new_tls(base, pair[1], client_ctx, 0, 60, &end_ops, client);
    SSL_CTX_free(server_ctx);
    SSL_CTX_free(client_ctx);
    loop_run(60);
}

static void part(struct end *a, struct end *b)
{
    conn_close(a->conn, "test is over");
    loop_run(5);
    conn_close(b->conn, "test is over");
    loop_run(5);
}

static int node_join(const char *cluster, const char *name, int node, int claimed)
{
    char text[300] = "", dir[200];
    char *csr = NULL, *cert = NULL;
    struct tls_authority *authority;
    int error;

    authority = tls_authority_load(path_of(cluster, ""), text, sizeof(text));
    if (!authority)
        return -EIO;
    snprintf(dir, sizeof(dir), "%s", path_of(cluster, name));
    error = tls_join_begin(dir, &csr, text, sizeof(text));
    if (!error)
        error = tls_sign(authority, csr, node, &cert, text, sizeof(text));
    if (!error)
        error = tls_join_finish(dir, claimed, cert, tls_authority_pem(authority), text,
                                sizeof(text));
    if (error)
        diag("%s", text);
    free(csr);
    free(cert);
    tls_authority_free(authority);
    return error;
}

#endif
