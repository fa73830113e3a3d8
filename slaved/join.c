/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conn.h"
#include "common/fd.h"
#include "common/tls.h"
#include "slaved/connect.h"
#include "slaved/join.h"
#include "slaved/options.h"

#define SECONDS 10

static struct {
    struct event_base *base;
    const struct join_request *request;
    SSL_CTX *ctx;
    struct conn *conn;
    struct event *patience;
    char *csr;
    int node, error;
    char *text;
    size_t len;
} join;

/* The first word on how it went stands. */
static void join_end(int error, const char *text)
{
    if (!join.error && error)
        snprintf(join.text, join.len, "%s", text);
    if (!join.error)
        join.error = error;
    conn_close(join.conn, "the join is over");
    event_base_loopexit(join.base, NULL);
}

static void answer_take(const struct frame_header *header, const uint8_t *body)
{
    char text[512];
    join_ret ret;
    int error;

    if (conn_decode(join_ret, header, body, &ret) < 0) {
        join_end(-EPROTO, "the master's answer does not decode");
        return;
    }
    error = tls_join_finish(join.request->tls_dir, ret.node, ret.cert, ret.ca, text, sizeof(text));
    join.node = ret.node;
    frame_free(FRAME_XDR(join_ret), &ret, sizeof(ret));
    join_end(error ? error : 1, error ? text : "");
}

static void refusal_take(const struct frame_header *header, const uint8_t *body)
{
    char text[512];
    error_ret ret;

    if (conn_decode(error_ret, header, body, &ret) < 0) {
        join_end(-header->status, strerror(header->status));
        return;
    }
    snprintf(text, sizeof(text), "the master refuses: %s", ret.text);
    frame_free(FRAME_XDR(error_ret), &ret, sizeof(ret));
    join_end(-header->status, text);
}

static void join_message(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                         int *fds, void *arg)
{
    (void)conn;
    (void)fds;
    (void)arg;
    if (header->kind != K_REPLY || header->proc != P_JOIN || header->status < 0)
        join_end(-EPROTO, "the master answers out of place");
    else if (header->status > 0)
        refusal_take(header, body);
    else
        answer_take(header, body);
}

static void join_ready(struct conn *conn, void *arg)
{
    join_arg call = { .token = (char *)(uintptr_t)join.request->token, .csr = join.csr };
    uint8_t hash[BPROC_HASH_LEN];

    (void)arg;
    /* Nothing is told to somebody who is not who the administrator said he would be. */
    if (tls_peer_ca_hash(conn_ssl(conn), hash) < 0)
        join_end(-EACCES, "it is no master that is there");
    else if (CRYPTO_memcmp(hash, join.request->ca_hash, sizeof(hash)) != 0)
        join_end(-EACCES, "its authority has another hash than the one given");
    else if (conn_send(conn, K_CALL, P_JOIN, 0, 0, FRAME_XDR(join_arg), &call, NULL, 0) < 0)
        join_end(-EMSGSIZE, "the token is too long");
}

static void join_closed(struct conn *conn, const char *reason, void *arg)
{
    (void)conn;
    (void)arg;
    join.conn = NULL;
    if (!join.error)
        join_end(-ECONNRESET, reason);
}

static const struct conn_ops join_ops = { .on_message = join_message, .on_close = join_closed,
                                          .on_ready = join_ready };

static void join_connected(int fd)
{
    if (fd < 0) {
        join_end(fd, strerror(-fd));
        return;
    }
    join.conn = conn_new_tls(join.base, fd, join.ctx, 0, SECONDS, &join_ops, NULL);
    if (!join.conn)
        join_end(-ENOMEM, strerror(ENOMEM));
}

static void patience_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    join_end(-ETIMEDOUT, "no answer in time");
}

static void join_loop(void)
{
    struct timeval limit = { 2 * SECONDS, 0 };

    join.patience = evtimer_new(join.base, patience_over, NULL);
    if (!join.patience || event_add(join.patience, &limit) < 0) {
        join_end(-ENOMEM, strerror(ENOMEM));
        return;
    }
    connect_start(join.base, join.request->host, join.request->port, join.request->source, SECONDS,
                  join_connected);
    event_base_dispatch(join.base);
    /* The connection's memory goes in a turn of its own. */
    event_base_loop(join.base, EVLOOP_NONBLOCK);
}

static void join_clear(void)
{
    connect_cancel();
    if (join.patience)
        event_free(join.patience);
    if (join.base)
        event_base_free(join.base);
    SSL_CTX_free(join.ctx);
    free(join.csr);
}

int join_run(const struct join_request *request, int *node, char *text, size_t len)
{
    int error;

    memset(&join, 0, sizeof(join));
    join.request = request;
    join.text = text;
    join.len = len;
    error = tls_join_begin(request->tls_dir, &join.csr, text, len);
    if (error)
        return error;
    join.base = event_base_new();
    join.ctx = tls_context(NULL, 0, TLS_VERIFY_NONE, text, len);
    if (join.base && join.ctx)
        join_loop();
    else
        join.error = -ENOMEM;
    join_clear();
    *node = join.node;
    return join.error < 0 ? join.error : 0;
}

int join_master_save(const char *state_dir, const char *host, int port)
{
    char path[PATH_MAX], line[512];

    if (snprintf(path, sizeof(path), "%s/master", state_dir) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    snprintf(line, sizeof(line), "%s:%d\n", host, port);
    return fd_write_file(path, line, strlen(line), 0644);
}

int join_master_load(const char *state_dir, char *host, size_t len, int *port)
{
    char path[PATH_MAX];
    char *line;
    int error;

    if (snprintf(path, sizeof(path), "%s/master", state_dir) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    error = fd_read_file(path, 512, &line, NULL);
    if (error)
        return error;
    line[strcspn(line, "\n")] = '\0';
    error = options_host_port(line, host, len, port);
    free(line);
    return error;
}
