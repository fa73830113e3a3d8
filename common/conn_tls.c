/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include "common/conn_io.h"

#define KEEPALIVE_MOST 32767    /* seconds, the kernel's own limit */

/* 0 stands for the orderly end. What OpenSSL knows of a failure stays in its queue: the reason. */
static int tls_error(struct conn *conn, int code)
{
    int saved = errno;

    switch (SSL_get_error(conn->ssl, code)) {
    case SSL_ERROR_WANT_READ:
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        event_add(conn->on_write, NULL);
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        return saved ? -saved : -ECONNRESET;
    default:
        return -ECONNABORTED;
    }
}

static ssize_t tls_read(struct conn *conn, uint8_t *bytes, size_t len)
{
    int n;

    ERR_clear_error();
    errno = 0;
    n = SSL_read(conn->ssl, bytes, len > INT_MAX ? INT_MAX : (int)len);
    return n > 0 ? n : tls_error(conn, n);
}

static ssize_t tls_write(struct conn *conn, const uint8_t *bytes, size_t len, const int *fds,
                         unsigned nfds)
{
    int n, error;

    (void)fds;
    (void)nfds;
    ERR_clear_error();
    errno = 0;
    n = SSL_write(conn->ssl, bytes, len > INT_MAX ? INT_MAX : (int)len);
    if (n > 0)
        return n;
    error = tls_error(conn, n);
    return error ? error : -EPIPE;
}

static int tls_handshake(struct conn *conn)
{
    int n, error;

    ERR_clear_error();
    errno = 0;
    n = SSL_do_handshake(conn->ssl);
    if (n == 1)
        return 0;
    error = tls_error(conn, n);
    return error ? error : -ECONNRESET;
}

static void tls_finish(struct conn *conn)
{
    SSL_free(conn->ssl);
}

void conn_tls_reason(struct conn *conn, int error, char *text, size_t len)
{
    unsigned long code = conn->ssl ? ERR_peek_last_error() : 0;
    long verdict = conn->ssl ? SSL_get_verify_result(conn->ssl) : X509_V_OK;

    if ((error == -ECONNRESET && code == 0) ||
        (code != 0 && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING))
        snprintf(text, len, "closed by the peer");
    else if (error != -ECONNABORTED)
        snprintf(text, len, "%s", strerror(-error));
    else if (verdict != X509_V_OK && SSL_get_verify_mode(conn->ssl) != SSL_VERIFY_NONE)
        snprintf(text, len, "peer's certificate is refused: %s",
                 X509_verify_cert_error_string(verdict));
    else
        snprintf(text, len, "TLS: %s", code ? ERR_reason_error_string(code) : "failed");
    ERR_clear_error();
}

static int connect_finish(struct conn *conn)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    conn->connecting = 0;
    if (!error && event_add(conn->on_read, NULL) < 0)
        error = ENOMEM;
    return -error;
}

void conn_tls_step(struct conn *conn)
{
    char reason[200];
    int error = conn->connecting ? connect_finish(conn) : 0;

    if (!error)
        error = conn->transport->handshake(conn);
    if (error == -EAGAIN)
        return;
    if (error) {
        conn_tls_reason(conn, error, reason, sizeof(reason));
        conn_close(conn, reason);
        return;
    }
    conn->phase = CONN_OPEN;
    event_del(conn->on_timer);
    /* A priority cannot change while the event is about to run. */
    event_del(conn->on_read);
    event_del(conn->on_write);
    event_priority_set(conn->on_read, event_base_get_npriorities(conn->base) / 2);
    event_priority_set(conn->on_write, event_base_get_npriorities(conn->base) / 2);
    event_add(conn->on_read, NULL);
    if (conn->ops->on_ready)
        conn->ops->on_ready(conn, conn->arg);
}

void conn_watch(struct conn *conn, int seconds)
{
    unsigned ms = (unsigned)seconds * 1000;
    int idle = seconds < 2 ? 1 : seconds / 2 > KEEPALIVE_MOST ? KEEPALIVE_MOST : seconds / 2;
    int interval = seconds < 6 ? 1 : idle / 3;
    int one = 1;

    setsockopt(conn->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
    setsockopt(conn->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(conn->fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    setsockopt(conn->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

int64_t conn_silence(struct conn *conn)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);

    if (getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return -1;
    return info.tcpi_last_ack_recv < info.tcpi_last_data_recv ? info.tcpi_last_ack_recv
                                                              : info.tcpi_last_data_recv;
}

const struct conn_transport conn_tls_transport = {
    .read = tls_read, .write = tls_write, .handshake = tls_handshake, .finish = tls_finish
};
