/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-tlsping serve PEM PORT
 * bench-tlsping ask HOST PORT [run]
 * bench-tlsping stand SOCKET WORKERS PORT HOST...
 *
 * What a command on another machine costs at least: one byte over an open TLS connection, and one
 * back; with `run` the other side forks, executes `true` and waits for it in between. The server
 * has certificate and key from the file PEM, and a process for each connection. The other side
 * connects, then takes a turn for each line it reads and answers it with the turn's microseconds.
 *
 * `stand` is what a daemon would do at least: it keeps a connection to each host, and for whoever
 * knocks at its socket (bench-knock) with a number has `true` run on so many of the hosts at once.
 * Each of its workers has connections of its own and one who knocks at a time.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/stopwatch.h"
#include "bench/tlspeer.h"

#define BACKLOG 128
#define MAX_HOSTS 64
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

static void connection_serve(SSL *tls, void *arg)
{
    char byte;

    while (SSL_read(tls, &byte, 1) == 1) {
        if (byte == RUN)
            program_run();
        if (SSL_write(tls, &byte, 1) != 1)
            break;
    }
    (void)arg;
}

static int ask_main(const char *host, const char *port, char byte)
{
    SSL *tls = tlspeer_connect(host, port);
    char line[64];

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

/* ---- for programs that are started for each command ---- */

static int door_open(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    errno = ENAMETOOLONG;
    if (strlen(path) >= sizeof(at.sun_path))
        stopwatch_die("listen at", path);
    strcpy(at.sun_path, path);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, BACKLOG) < 0)
        stopwatch_die("listen at", path);
    return fd;
}

static void guest_serve(int fd, SSL **hosts, unsigned count)
{
    unsigned char wanted;
    char byte = RUN;

    if (read(fd, &wanted, 1) != 1 || wanted > count)
        return;
    for (unsigned i = 0; i < wanted; i++)
        if (SSL_write(hosts[i], &byte, 1) != 1)
            stopwatch_die("write to", "a host");
    for (unsigned i = 0; i < wanted; i++)
        if (SSL_read(hosts[i], &byte, 1) != 1)
            stopwatch_die("hear from", "a host");
    if (write(fd, &byte, 1) != 1)
        perror("bench-tlsping");
}

static int stand_main(const char *path, int workers, const char *port, char **names,
                      unsigned count)
{
    SSL *hosts[MAX_HOSTS];
    int listener = door_open(path);

    while (workers > 1 && fork() != 0)
        workers--;
    for (unsigned i = 0; i < count; i++)
        hosts[i] = tlspeer_connect(names[i], port);
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
            stopwatch_die("accept at", path);
        guest_serve(fd, hosts, count);
        close(fd);
    }
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 4 && strcmp(argv[1], "serve") == 0)
        tlspeer_serve(argv[2], argv[3], connection_serve, NULL);
    if (argc == 4 && strcmp(argv[1], "ask") == 0)
        return ask_main(argv[2], argv[3], PING);
    if (argc == 5 && strcmp(argv[1], "ask") == 0 && strcmp(argv[4], "run") == 0)
        return ask_main(argv[2], argv[3], RUN);
    if (argc > 5 && argc <= 5 + MAX_HOSTS && strcmp(argv[1], "stand") == 0)
        return stand_main(argv[2], atoi(argv[3]), argv[4], argv + 5, (unsigned)argc - 5);
    fprintf(stderr, "usage: bench-tlsping serve PEM PORT\n"
                    "       bench-tlsping ask HOST PORT [run]\n"
                    "       bench-tlsping stand SOCKET WORKERS PORT HOST...\n");
    return 2;
}
