/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-tlsping serve PEM PORT
 * bench-tlsping ask HOST PORT [run]
 *
 * What a command on another machine costs at least: one byte over an open TLS connection, and one
 * back; with `run` the other side forks, executes `true` and waits for it in between. The server
 * has certificate and key from the file PEM, and a process for each connection. The other side
 * connects, then takes a turn for each line it reads and answers it with the turn's microseconds.
 */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "bench/stopwatch.h"

#define BACKLOG 16
#define PING 'p'
#define RUN 'r'

extern char **environ;

static void program_run(void)
{
    char name[] = "true";
    char *argv[] = {name, NULL};
    pid_t pid;

    errno = posix_spawnp(&pid, name, NULL, NULL, argv, environ);
    if (errno)
        stopwatch_die("run", name);
    stopwatch_wait(name, pid);
}

static SSL *tls_make(const SSL_METHOD *method, const char *pem)
{
    SSL_CTX *context = SSL_CTX_new(method);
    SSL *tls;

    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1)
        stopwatch_die("set up", "TLS");
    if (pem && (SSL_CTX_use_certificate_file(context, pem, SSL_FILETYPE_PEM) != 1 ||
                SSL_CTX_use_PrivateKey_file(context, pem, SSL_FILETYPE_PEM) != 1))
        stopwatch_die("use certificate", pem);
    tls = SSL_new(context);
    if (!tls)
        stopwatch_die("set up", "TLS");
    SSL_CTX_free(context);
    return tls;
}

static void connection_serve(int fd, const char *pem)
{
    SSL *tls = tls_make(TLS_server_method(), pem);
    char byte;

    if (SSL_set_fd(tls, fd) != 1 || SSL_accept(tls) != 1)
        exit(1);
    while (SSL_read(tls, &byte, 1) == 1) {
        if (byte == RUN)
            program_run();
        if (SSL_write(tls, &byte, 1) != 1)
            break;
    }
    exit(0);
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
    if (host ? connect(fd, address->ai_addr, address->ai_addrlen) < 0
             : bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
        stopwatch_die(host ? "connect to port" : "listen on port", port);
    freeaddrinfo(address);
    return fd;
}

static int serve_main(const char *pem, const char *port)
{
    int listener = socket_make(NULL, port);

    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
            stopwatch_die("accept on port", port);
        if (fork() == 0) {
            close(listener);
            signal(SIGCHLD, SIG_DFL);
            connection_serve(fd, pem);
        }
        close(fd);
    }
}

static int ask_main(const char *host, const char *port, char byte)
{
    SSL *tls = tls_make(TLS_client_method(), NULL);
    char line[64];

    if (SSL_set_fd(tls, socket_make(host, port)) != 1 || SSL_connect(tls) != 1)
        stopwatch_die("speak TLS with", host);
    while (fgets(line, sizeof(line), stdin)) {
        int64_t start = stopwatch_now();
        char answer;

        if (SSL_write(tls, &byte, 1) != 1 || SSL_read(tls, &answer, 1) != 1)
            stopwatch_die("hear from", host);
        printf("%.1f\n", (double)(stopwatch_now() - start) / 1e3);
        fflush(stdout);
    }
    SSL_shutdown(tls);
    SSL_free(tls);
    return 0;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 4 && strcmp(argv[1], "serve") == 0) {
        signal(SIGCHLD, SIG_IGN);
        return serve_main(argv[2], argv[3]);
    }
    if (argc == 4 && strcmp(argv[1], "ask") == 0)
        return ask_main(argv[2], argv[3], PING);
    if (argc == 5 && strcmp(argv[1], "ask") == 0 && strcmp(argv[4], "run") == 0)
        return ask_main(argv[2], argv[3], RUN);
    fprintf(stderr, "usage: bench-tlsping serve PEM PORT\n"
                    "       bench-tlsping ask HOST PORT [run]\n");
    return 2;
}
