/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/stopwatch.h"
#include "bench/tlspeer.h"
#include "common/tls.h"
#include "migrate/aesgcm.h"
#include "migrate/near.h"

#define BACKLOG 16

/* What enciphers for us does so for the floors, or they would be none. */
static void cipher_prepare(void)
{
    static int prepared;

    if (!prepared)
        aesgcm_provide();
    prepared = 1;
}

static SSL *tls_make(const SSL_METHOD *method, const char *pem)
{
    SSL_CTX *context;
    SSL *tls;

    cipher_prepare();
    context = SSL_CTX_new_ex(NULL, TLS_PREFERENCE, method);
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1)
        stopwatch_die("set up", "TLS");
    if (pem && (SSL_CTX_use_certificate_file(context, pem, SSL_FILETYPE_PEM) != 1 ||
                SSL_CTX_use_PrivateKey_file(context, pem, SSL_FILETYPE_PEM) != 1))
        stopwatch_die("use certificate", pem);
    SSL_CTX_set_num_tickets(context, 0);
    tls = SSL_new(context);
    if (!tls)
        stopwatch_die("set up", "TLS");
    SSL_CTX_free(context);
    return tls;
}

/* A socket that listens on the port, or is connected to the host's. Nagle's wait is off on both. */
static int socket_make(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *address;
    int on = 1, fd, failed;

    hints.ai_flags = host ? 0 : AI_PASSIVE;
    failed = getaddrinfo(host, port, &hints, &address);
    if (failed) {
        fprintf(stderr, "bench: cannot look up %s port %s: %s\n", host, port, gai_strerror(failed));
        exit(1);
    }
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        stopwatch_die("make socket for port", port);
    near_hope(fd);
    if (host ? connect(fd, address->ai_addr, address->ai_addrlen) < 0
             : bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
        stopwatch_die(host ? "connect to port" : "listen on port", port);
    freeaddrinfo(address);
    return fd;
}

SSL *tlspeer_connect(const char *host, const char *port)
{
    SSL *tls = tls_make(TLS_client_method(), NULL);

    if (SSL_set_fd(tls, socket_make(host, port)) != 1 || SSL_connect(tls) != 1)
        stopwatch_die("speak TLS with", host);
    return tls;
}

_Noreturn void tlspeer_serve(const char *pem, const char *port, void (*serve)(SSL *tls, void *arg),
                             void *arg)
{
    int listener = socket_make(NULL, port);

    signal(SIGCHLD, SIG_IGN);
    cipher_prepare();
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        SSL *tls;

        if (fd < 0)
            stopwatch_die("accept on port", port);
        if (fork() == 0) {
            close(listener);
            signal(SIGCHLD, SIG_DFL);
            tls = tls_make(TLS_server_method(), pem);
            if (SSL_set_fd(tls, fd) != 1 || SSL_accept(tls) != 1)
                exit(1);
            serve(tls, arg);
            exit(0);
        }
        close(fd);
    }
}

void tlspeer_widen(SSL *tls, size_t piece)
{
    BIO *buffer = BIO_new(BIO_f_buffer()), *below = SSL_get_wbio(tls);

    if (!buffer || BIO_set_write_buffer_size(buffer, (long)piece) != 1)
        stopwatch_die("get", "memory");
    BIO_up_ref(below);
    SSL_set0_wbio(tls, BIO_push(buffer, below));
    SSL_set_read_ahead(tls, 1);
    SSL_set_default_read_buffer_len(tls, piece);
    /* That of the handshake was for one record. */
    SSL_free_buffers(tls);
}
