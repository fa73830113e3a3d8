/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "bench/swarm_node.h"
#include "common/fd.h"
#include "common/tls.h"
#include "common/tls_cert.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS 5000
#define HANDSHAKE_SECONDS 30
#define DATA_PORT 2224

static void node_connect(struct swarm_node *node);

static void timer_set(struct swarm_node *node, unsigned ms)
{
    struct timeval wait = { ms / 1000, ms % 1000 * 1000 };

    event_add(node->timer, &wait);
}

static const char *folder_of(const struct swarm_node *node, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%d", node->worker->options->keys, node->number);
    return path;
}

/* ---- keys ---- */

static int authority_read(struct swarm_node *node, char *text, size_t len)
{
    SSL_CTX **tls = &node->worker->member_tls;
    char dir[PATH_MAX], path[PATH_MAX + 16];

    if (*tls)
        return 0;
    *tls = tls_context(NULL, 0, TLS_VERIFY_PEER, text, len);
    if (!*tls)
        return -EIO;
    snprintf(path, sizeof(path), "%s/ca.pem", folder_of(node, dir));
    return SSL_CTX_load_verify_file(*tls, path) == 1
               ? 0 : cert_failed(text, len, "read the authority's certificate");
}

int node_prepare(struct swarm_node *node, char *text, size_t len)
{
    char dir[PATH_MAX], path[PATH_MAX + 16];
    int error = 0;

    folder_of(node, dir);
    if (getrandom(&node->instance, sizeof(node->instance), 0) != sizeof(node->instance))
        return -EIO;
    if (node->token)
        error = tls_join_begin(dir, &node->csr, text, len);
    snprintf(path, sizeof(path), "%s/key.pem%s", dir, node->token ? ".new" : "");
    node->key = error ? NULL : cert_key_read(path, text, len);
    if (!node->key || node->token)
        return node->key ? 0 : -EIO;
    snprintf(path, sizeof(path), "%s/cert.pem", dir);
    node->cert = cert_read(path, text, len);
    return node->cert ? authority_read(node, text, len) : -EIO;
}

/* What tls_join_finish() does, without reading the key again: decoding one takes a millisecond. */
static int answer_keep(struct swarm_node *node, const join_ret *ret, char *text, size_t len)
{
    char dir[PATH_MAX], path[PATH_MAX + 16], path_new[PATH_MAX + 24];
    int error = -EACCES;

    folder_of(node, dir);
    node->cert = cert_from_pem(ret->cert);
    if (node->cert && ret->node == node->number && cert_node(node->cert) == ret->node &&
        EVP_PKEY_eq(node->key, X509_get0_pubkey(node->cert)) == 1) {
        snprintf(path, sizeof(path), "%s/ca.pem", dir);
        error = fd_write_file(path, ret->ca, strlen(ret->ca), 0644);
    }
    snprintf(path, sizeof(path), "%s/cert.pem", dir);
    if (!error)
        error = fd_write_file(path, ret->cert, strlen(ret->cert), 0644);
    snprintf(path, sizeof(path), "%s/key.pem", dir);
    snprintf(path_new, sizeof(path_new), "%s.new", path);
    if (!error && rename(path_new, path) < 0)
        error = -errno;
    if (error)
        snprintf(text, len, "cannot keep the certificate: %s", strerror(-error));
    return error ? error : authority_read(node, text, len);
}

/* ---- the end, and another attempt ---- */

static void retry_later(struct swarm_node *node)
{
    unsigned half = node->pause_ms / 2;

    node->stage = STAGE_WAITING;
    timer_set(node, half + (unsigned)random() % (half + 1));
    node->pause_ms *= 2;
    if (node->pause_ms > PAUSE_MOST_MS)
        node->pause_ms = PAUSE_MOST_MS;
}

static void node_closed(struct conn *conn, const char *reason, void *arg)
{
    struct swarm_node *node = arg;
    struct swarm_tally *tally = node->worker->tally;

    (void)conn;
    node->conn = NULL;
    event_del(node->timer);
    node->silent = 0;
    if (node->stage == STAGE_UP)
        tally->up--;
    if (node->stage == STAGE_AWAY)
        return;
    if (node->stage == STAGE_UP)
        tally->losses++;
    else
        tally->failures++;
    snprintf(tally->complaint, sizeof(tally->complaint), "node %d: %s", node->number, reason);
    retry_later(node);
}

/* ---- joining ---- */

static void join_accept(struct swarm_node *node, const struct frame_header *header,
                        const uint8_t *body)
{
    char text[300];
    join_ret ret;
    int error;

    if (conn_decode(join_ret, header, body, &ret) < 0) {
        conn_close(node->conn, "answer does not decode");
        return;
    }
    error = answer_keep(node, &ret, text, sizeof(text));
    frame_free(FRAME_XDR(join_ret), &ret, sizeof(ret));
    if (error) {
        conn_close(node->conn, text);
        return;
    }
    node->worker->tally->joins++;
    node->token = NULL;
    node->stage = STAGE_AWAY;
    conn_close(node->conn, "joined");
    node_start(node);
}

static void refusal_take(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    char reason[200];
    error_ret ret;

    snprintf(reason, sizeof(reason), "refused: %s", strerror(header->status));
    if (conn_decode(error_ret, header, body, &ret) == 0) {
        snprintf(reason, sizeof(reason), "refused: %s", ret.text);
        frame_free(FRAME_XDR(error_ret), &ret, sizeof(ret));
    }
    conn_close(conn, reason);
}

static void join_ready(struct swarm_node *node)
{
    join_arg arg = { .token = (char *)(uintptr_t)node->token, .csr = node->csr };
    uint8_t hash[BPROC_HASH_LEN];

    if (tls_peer_ca_hash(conn_ssl(node->conn), hash) < 0 ||
        CRYPTO_memcmp(hash, node->worker->options->ca_hash, sizeof(hash)) != 0)
        conn_close(node->conn, "it is not the master that is there");
    else
        conn_send(node->conn, K_CALL, P_JOIN, 0, 0, FRAME_XDR(join_arg), &arg, NULL, 0);
}

/* ---- as a member ---- */

static void hello_send(struct swarm_node *node)
{
    hello_arg hello = { .node = node->number, .instance = node->instance,
                        .master_instance = node->master_instance, .data_port = DATA_PORT };

    hello.attrs.attrs_len = node->worker->attrs_len;
    hello.attrs.attrs_val = node->worker->attrs;
    conn_send(node->conn, K_CALL, P_HELLO, 0, 0, FRAME_XDR(hello_arg), &hello, NULL, 0);
}

static void hello_accept(struct swarm_node *node, const struct frame_header *header,
                         const uint8_t *body)
{
    hello_ret ret;

    if (header->proc != P_HELLO || header->kind != K_REPLY ||
        conn_decode(hello_ret, header, body, &ret) < 0) {
        conn_close(node->conn, "no answer to the hello");
        return;
    }
    node->stage = STAGE_UP;
    node->master_instance = ret.master_instance;
    node->pause_ms = PAUSE_FIRST_MS;
    conn_watch(node->conn, (int)ret.ping_timeout);
    node->worker->tally->up++;
    if (node->worker->options->watch)
        conn_event(node->conn, P_NOTIFY, NULL, NULL);
}

static void usage_tell(struct swarm_node *node)
{
    node_usage usage = node->worker->usage;

    usage.node = node->number;
    conn_event(node->conn, P_NODE_USAGE, FRAME_XDR(node_usage), &usage);
}

static void up_message(struct swarm_node *node, const struct frame_header *header)
{
    if (header->proc == P_PING) {
        node->worker->tally->pings++;
        if (header->kind == K_CALL)
            conn_reply(node->conn, header, NULL, NULL);
    } else if (header->proc == P_NODE_USAGE) {
        usage_tell(node);
    } else if (header->proc == P_NOTIFY) {
        node->worker->tally->changes++;
    } else if (header->kind == K_CALL) {
        conn_refuse(node->conn, header, EOPNOTSUPP, "this node is a simulated one");
    }
}

/* ---- the connection ---- */

static void node_message(struct conn *conn, const struct frame_header *header,
                         const uint8_t *body, int *fds, void *arg)
{
    struct swarm_node *node = arg;

    (void)fds;
    if (node->stage == STAGE_UP)
        up_message(node, header);
    else if (header->kind == K_REPLY && header->status > 0)
        refusal_take(conn, header, body);
    else if (node->stage == STAGE_CONNECTING)
        hello_accept(node, header, body);
    else if (header->kind == K_REPLY && header->proc == P_JOIN)
        join_accept(node, header, body);
    else
        conn_close(conn, "message has no place here");
}

static void node_ready(struct conn *conn, void *arg)
{
    struct swarm_node *node = arg;

    if (node->stage == STAGE_JOINING)
        join_ready(node);
    else if (tls_peer_node(conn_ssl(conn)) != TLS_NODE_MASTER)
        conn_close(conn, "its certificate is not the master's");
    else
        hello_send(node);
}

static const struct conn_ops node_ops = { .on_message = node_message, .on_close = node_closed,
                                          .on_ready = node_ready };

/* A connecting socket, or -errno. */
static int socket_open(const struct swarm_node *node)
{
    const struct swarm_options *options = node->worker->options;
    struct sockaddr_in source = { .sin_family = AF_INET };
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error;

    if (fd < 0)
        return -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    /* The port is chosen at connect(), when the other end is known: else there are too few. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    if (options->source)
        source.sin_addr.s_addr = htonl(options->source + (uint32_t)(node->number - options->first));
    if ((options->source && bind(fd, (struct sockaddr *)&source, sizeof(source)) < 0) ||
        (connect(fd, (const struct sockaddr *)&options->master, sizeof(options->master)) < 0 &&
         errno != EINPROGRESS)) {
        error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static int keys_show(struct swarm_node *node)
{
    SSL *ssl = conn_ssl(node->conn);

    return SSL_use_certificate(ssl, node->cert) == 1 && SSL_use_PrivateKey(ssl, node->key) == 1;
}

static void node_connect(struct swarm_node *node)
{
    struct swarm_worker *worker = node->worker;
    int fd = socket_open(node);

    worker->tally->attempts++;
    node->stage = node->token ? STAGE_JOINING : STAGE_CONNECTING;
    if (fd >= 0)
        node->conn = conn_new_tls(worker->base, fd,
                                  node->token ? worker->join_tls : worker->member_tls, 0,
                                  HANDSHAKE_SECONDS, &node_ops, node);
    if (node->conn && (node->token || keys_show(node)))
        return;
    if (node->conn) {
        conn_close(node->conn, "cannot use its certificate");
        return;
    }
    worker->tally->failures++;
    snprintf(worker->tally->complaint, sizeof(worker->tally->complaint),
             "node %d: cannot connect: %s", node->number, strerror(fd < 0 ? -fd : ENOMEM));
    retry_later(node);
}

static void timer_due(evutil_socket_t fd, short what, void *arg)
{
    struct swarm_node *node = arg;

    (void)fd;
    (void)what;
    if (node->stage == STAGE_WAITING)
        node_connect(node);
}

/* ---- orders ---- */

void node_start(struct swarm_node *node)
{
    if (!node->timer)
        node->timer = evtimer_new(node->worker->base, timer_due, node);
    if (node->silent) {
        node->silent = 0;
        conn_pause(node->conn, 0);
    }
    if (!node->timer || (node->stage != STAGE_AWAY && node->stage != STAGE_WAITING))
        return;
    event_del(node->timer);
    node->pause_ms = PAUSE_FIRST_MS;
    node_connect(node);
}

void node_drop(struct swarm_node *node)
{
    if (node->stage == STAGE_UP)
        node->worker->tally->up--;
    node->stage = STAGE_AWAY;
    if (node->timer)
        event_del(node->timer);
    conn_close(node->conn, "dropped");
}

void node_silence(struct swarm_node *node)
{
    node->silent = 1;
    conn_pause(node->conn, 1);
}
