/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <openssl/err.h>

#include "common/fault.h"
#include "common/fd.h"
#include "common/tls.h"
#include "migrate/bulk.h"
#include "migrate/near.h"
#include "migrate/nodelink.h"

#define CONNECT_SECONDS 10
#define ANSWER_SECONDS 300          /* a restore of many gigabytes says nothing until it is done */

static void socket_timeouts(int sock, int seconds)
{
    struct timeval limit = { .tv_sec = seconds };

    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* The socket is the connection's when this succeeds. */
static SSL *tls_make(SSL_CTX *ctx, int sock)
{
    SSL *ssl = SSL_new(ctx);

    if (ssl && SSL_set_fd(ssl, sock) && bulk_setup(ssl) == 0)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

/* Why the handshake has failed, which TLS says of itself only. */
static const char *handshake_reason(int error)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    return reason ? reason : strerror(-error);
}

static int handshake(struct nodelink *link, int sock, char *text, size_t len)
{
    const node_place *to = &link->to;
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_port = htons((uint16_t)to->data_port),
                                .sin_addr.s_addr = htonl(to->addr) };
    int error = fd_connect(sock, (struct sockaddr *)&addr, sizeof(addr));

    if (error) {
        snprintf(text, len, "cannot connect to node %d: %s", to->node, strerror(-error));
        return -EIO;
    }
    SSL_set_connect_state(link->ssl);
    error = bulk_handshake(link->ssl);
    if (error) {
        snprintf(text, len, "cannot agree on TLS with node %d: %s", to->node,
                 handshake_reason(error));
        return -EIO;
    }
    if (tls_peer_node(link->ssl) != (to->node < 0 ? TLS_NODE_HOME : to->node)) {
        snprintf(text, len, "cannot trust node %d: its certificate names node %d", to->node,
                 tls_peer_node(link->ssl));
        return -EPERM;
    }
    return 0;
}

int nodelink_open(struct nodelink *link, SSL_CTX *ctx, const node_place *to, char *text, size_t len)
{
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error;

    if (sock < 0) {
        error = -errno;
        snprintf(text, len, "cannot make a socket: %s", strerror(-error));
        return error;
    }
    near_hope(sock);
    socket_timeouts(sock, CONNECT_SECONDS);
    link->to = *to;
    link->ssl = tls_make(ctx, sock);
    if (!link->ssl) {
        close(sock);
        snprintf(text, len, "cannot make a TLS connection");
        return -ENOMEM;
    }
    error = handshake(link, sock, text, len);
    if (error) {
        nodelink_close(link);
        return error;
    }
    near_settle(sock);
    socket_timeouts(sock, nodelink_patience());
    return 0;
}

int nodelink_patience(void)
{
    return FAULT_SECONDS(FAULT_BOUND_ANSWER, ANSWER_SECONDS);
}

/* Nobody speaks unasked: what can be read is the end. */
bool nodelink_is_open(const struct nodelink *link, const node_place *to)
{
    struct pollfd fd = { .fd = link->ssl ? SSL_get_fd(link->ssl) : -1, .events = POLLIN };

    return link->ssl && link->to.node == to->node && link->to.addr == to->addr &&
           link->to.data_port == to->data_port && link->to.instance == to->instance &&
           poll(&fd, 1, 0) == 0 && !SSL_has_pending(link->ssl);
}

void nodelink_close(struct nodelink *link)
{
    if (!link->ssl)
        return;
    close(SSL_get_fd(link->ssl));
    SSL_free(link->ssl);
    link->ssl = NULL;
}
