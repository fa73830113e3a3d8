/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two relays on one event loop with a real TLS connection between them, for the unit tests.
 * Side MASTER stands for the mover, side NODE for the receiver; the tests play the processes.
 */
#ifndef TESTS_RELAY_PAIR_H
#define TESTS_RELAY_PAIR_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "migrate/bulk.h"
#include "migrate/relay.h"
#include "tests/unit/tap.h"

enum { MASTER, NODE, SIDES };

struct side {
    SSL *ssl;
    struct relay *relay;
    int flushed;
    int idle;
    int over;
    int broken;
    size_t wants;               /* what the process is said to wait for */
    char reason[160];
};

struct pair {
    struct event_base *base;
    struct event *tick;
    struct side side[SIDES];
};

__attribute__((unused)) static const struct timeval tick_time = { 0, 1000 };

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    printf("Bail out! cannot %s: %s\n", what, strerror(errno));
    exit(99);
}

/* One self-signed certificate for all connections of the program. */
static SSL_CTX *context(int server)
{
    static EVP_PKEY *key;
    static X509 *cert;
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

    if (!key) {
        key = EVP_EC_gen("P-256");
        cert = X509_new();
        X509_gmtime_adj(X509_getm_notBefore(cert), 0);
        X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
        X509_set_pubkey(cert, key);
        must(X509_sign(cert, key, EVP_sha256()) > 0, "sign a certificate");
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    if (server)
        must(SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1,
             "use a certificate");
    return ctx;
}

static void tcp_pair(int fds[2])
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(listener, (struct sockaddr *)&at, len) == 0 && listen(listener, 1) == 0 &&
         getsockname(listener, (struct sockaddr *)&at, &len) == 0 &&
         connect(fds[1], (struct sockaddr *)&at, len) == 0, "connect");
    fds[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    must(fds[0] >= 0, "accept");
    close(listener);
}

/* A TLS connection; both ends blocking again when it is done. */
static void tls_pair(SSL *ssl[2])
{
    int fds[2], done = 0;

    tcp_pair(fds);
    for (int i = 0; i < 2; i++) {
        SSL_CTX *ctx = context(i == 1);

        ssl[i] = SSL_new(ctx);
        SSL_CTX_free(ctx);
        SSL_set_fd(ssl[i], fds[i]);
        must(bulk_setup(ssl[i]) == 0, "prepare a connection");
        i == 1 ? SSL_set_accept_state(ssl[i]) : SSL_set_connect_state(ssl[i]);
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    for (int i = 0; done != 3 && i < 100000; i++)
        if (SSL_do_handshake(ssl[i % 2]) == 1)
            done |= 1 << i % 2;
    must(done == 3, "shake hands");
    fcntl(fds[0], F_SETFL, 0);
    fcntl(fds[1], F_SETFL, 0);
}

static void tls_free(SSL *ssl)
{
    int fd = ssl ? SSL_get_fd(ssl) : -1;

    SSL_free(ssl);
    if (fd >= 0)
        close(fd);
}

static void side_flushed(struct relay *relay, void *arg)
{
    (void)relay;
    ((struct side *)arg)->flushed++;
}

static void side_idle(struct relay *relay, void *arg)
{
    (void)relay;
    ((struct side *)arg)->idle++;
}

static void side_over(struct relay *relay, void *arg)
{
    (void)relay;
    ((struct side *)arg)->over++;
}

static void side_broken(struct relay *relay, const char *reason, void *arg)
{
    struct side *side = arg;

    (void)relay;
    side->broken++;
    snprintf(side->reason, sizeof(side->reason), "%s", reason);
}

static size_t side_wanted(struct relay *relay, unsigned id, void *arg)
{
    (void)relay;
    (void)id;
    return ((struct side *)arg)->wants;
}

static const struct relay_ops side_ops = { .on_flushed = side_flushed, .on_idle = side_idle,
                                           .on_broken = side_broken, .wanted = side_wanted,
                                           .on_over = side_over };

static void pair_on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
}

/* `relays`: 2, or 1 when the test itself speaks for the node over side[NODE].ssl. */
__attribute__((unused)) static void pair_open(struct pair *pair, int relays)
{
    SSL *ssl[2];

    memset(pair, 0, sizeof(*pair));
    tls_pair(ssl);
    pair->base = event_base_new();
    pair->tick = event_new(pair->base, -1, EV_PERSIST, pair_on_tick, NULL);
    event_add(pair->tick, &tick_time);
    for (int i = 0; i < SIDES; i++) {
        struct side *side = &pair->side[i];

        side->ssl = ssl[i];
        if (i < relays) {
            side->relay = relay_new(pair->base, side->ssl, &side_ops, side);
            must(side->relay && relay_begin(side->relay) == 0, "make a relay");
        }
    }
}

__attribute__((unused)) static void pair_close(struct pair *pair)
{
    for (int i = 0; i < SIDES; i++) {
        relay_free(pair->side[i].relay);
        tls_free(pair->side[i].ssl);
    }
    event_free(pair->tick);
    event_base_free(pair->base);
}

__attribute__((unused)) static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Turns the loop until the expression holds, at most so many milliseconds; whether it does. */
#define pair_until(pair, ms, expression)                                    \
    ({                                                                      \
        int64_t pair_end = clock_ms() + (ms);                               \
        bool pair_is;                                                       \
        while (!(pair_is = (expression)) && clock_ms() < pair_end)          \
            event_base_loop((pair)->base, EVLOOP_ONCE);                     \
        pair_is;                                                            \
    })

/* Turns the loop for so many milliseconds, and as often: time can pass without us. */
__attribute__((unused)) static void pair_turn(struct pair *pair, int ms)
{
    int64_t end = clock_ms() + ms;

    for (int turns = 0; turns < ms || clock_ms() < end; turns++)
        event_base_loop(pair->base, EVLOOP_ONCE);
}

__attribute__((unused)) static void fd_nonblock(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* A pipe whose ends the test uses without blocking. */
__attribute__((unused)) static void pipe_make(int fds[2], int flags)
{
    must(pipe2(fds, O_CLOEXEC | flags) == 0, "make a pipe");
}

__attribute__((unused)) static void sockets_make(int fds[2], int type)
{
    must(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) == 0, "make a socket pair");
}

/* Adds the stream at one side, eager unless said otherwise. */
__attribute__((unused))
static void pair_add(struct pair *pair, int side, unsigned id, stream_kind kind, int in, int out)
{
    int error = relay_add(pair->side[side].relay, id, kind, STREAM_F_EAGER, in, out);

    errno = -error;
    must(error == 0, "add a stream");
}

/* Process writes, parent reads: returns both ends for the test. */
__attribute__((unused))
static void pair_output(struct pair *pair, unsigned id, int *process, int *parent)
{
    int orig[2], made[2];

    pipe_make(orig, 0);
    pipe_make(made, 0);
    pair_add(pair, MASTER, id, STREAM_PIPE_WRITE, -1, orig[1]);
    pair_add(pair, NODE, id, STREAM_PIPE_WRITE, made[0], -1);
    *process = made[1];
    *parent = orig[0];
    fd_nonblock(*process);
    fd_nonblock(*parent);
}

/* Parent writes, process reads. */
__attribute__((unused))
static void pair_input(struct pair *pair, unsigned id, int *process, int *parent)
{
    int orig[2], made[2];

    pipe_make(orig, 0);
    pipe_make(made, 0);
    pair_add(pair, MASTER, id, STREAM_PIPE_READ, orig[0], -1);
    pair_add(pair, NODE, id, STREAM_PIPE_READ, -1, made[1]);
    *process = made[0];
    *parent = orig[1];
    fd_nonblock(*process);
    fd_nonblock(*parent);
}

__attribute__((unused))
static void pair_socket(struct pair *pair, unsigned id, stream_kind kind, int type, int *process,
                        int *parent)
{
    int orig[2], made[2];

    sockets_make(orig, type);
    sockets_make(made, type);
    pair_add(pair, MASTER, id, kind, orig[0], orig[0]);
    pair_add(pair, NODE, id, kind, made[0], made[0]);
    *process = made[1];
    *parent = orig[1];
    fd_nonblock(*process);
    fd_nonblock(*parent);
}

/* What read(2) gives once it gives something: bytes, 0, or a negative errno. */
__attribute__((unused))
static ssize_t read_soon(struct pair *pair, int fd, void *bytes, size_t len)
{
    ssize_t n = -1;

    (void)pair_until(pair, 20000, (n = read(fd, bytes, len)) >= 0 || errno != EAGAIN);
    return n >= 0 ? n : -errno;
}

__attribute__((unused))
static bool says(struct pair *pair, int from, int to, const char *word)
{
    char text[64] = "";

    return write(from, word, strlen(word)) == (ssize_t)strlen(word) &&
           read_soon(pair, to, text, sizeof(text) - 1) == (ssize_t)strlen(word) &&
           strcmp(text, word) == 0;
}

#endif
