/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-copyfloor serve PEM PORT
 * bench-copyfloor send PORT FILE COPY HOST...
 *
 * The least that a copy along a chain of machines costs: each has it by TLS from the one before,
 * writes it to its file COPY, which is made empty first, and sends it on by TLS to the next, in one
 * process and with no word about files but the first line, "COPY HOST HOST...". It ends when the
 * last one says that all is written. The server has certificate and key from the file PEM, and a
 * process for each connection.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/stopwatch.h"
#include "bench/tlspeer.h"

#define PIECE (256 << 10)
#define LINE 512
#define WRITTEN 'w'

static unsigned char piece[PIECE];

/* The next machine of "HOST HOST...", which gets the line that is left; NULL if there is none. */
static SSL *next_open(const char *port, const char *copy, char *hosts)
{
    char *host = strtok_r(hosts, " ", &hosts), line[LINE];
    SSL *tls;
    int len;

    if (!host)
        return NULL;
    tls = tlspeer_connect(host, port);
    tlspeer_widen(tls, PIECE);
    len = snprintf(line, sizeof(line), "%s %s\n", copy, hosts);
    if (len >= LINE || SSL_write(tls, line, len) != len)
        stopwatch_die("send to", host);
    return tls;
}

static void piece_pass(SSL *next, size_t count)
{
    size_t done;

    if (next && count > 0 && SSL_write_ex(next, piece, count, &done) != 1)
        stopwatch_die("send", "file");
}

/* Says that there is no more and waits until all of it is written everywhere. */
static void next_end(SSL *next)
{
    char answer;

    if (!next)
        return;
    SSL_shutdown(next);
    if (BIO_flush(SSL_get_wbio(next)) != 1 || SSL_read(next, &answer, 1) != 1)
        stopwatch_die("end", "copy");
    SSL_free(next);
}

/* Less than a piece only at the end. */
static size_t piece_get(SSL *tls)
{
    size_t have = 0, n;

    while (have < PIECE && SSL_read_ex(tls, piece + have, PIECE - have, &n) == 1)
        have += n;
    return have;
}

static void line_get(SSL *tls, char line[LINE])
{
    size_t len = 0;

    while (len < LINE - 1 && SSL_read(tls, line + len, 1) == 1 && line[len] != '\n')
        len++;
    line[len] = '\0';
}

static void connection_serve(SSL *tls, void *arg)
{
    const char *port = arg;
    char line[LINE], *hosts, *copy, answer = WRITTEN;
    off_t offset = 0;
    size_t count;
    SSL *next;
    int fd;

    tlspeer_widen(tls, PIECE);
    line_get(tls, line);
    copy = strtok_r(line, " ", &hosts);
    fd = copy ? open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        stopwatch_die("write", line);
    next = next_open(port, copy, hosts);
    while ((count = piece_get(tls)) > 0) {
        if (pwrite(fd, piece, count, offset) != (ssize_t)count)
            stopwatch_die("write", copy);
        offset += (off_t)count;
        piece_pass(next, count);
    }
    next_end(next);
    SSL_write(tls, &answer, 1);
    BIO_flush(SSL_get_wbio(tls));
}

static void send_main(const char *port, const char *file, const char *copy, char **hosts)
{
    char line[LINE] = "";
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    SSL *next;

    for (size_t i = 0; hosts[i]; i++)
        if (strlen(line) + strlen(hosts[i]) + 2 < LINE)
            strcat(strcat(line, hosts[i]), " ");
    if (fd < 0)
        stopwatch_die("read", file);
    next = next_open(port, copy, line);
    while ((n = read(fd, piece, PIECE)) > 0)
        piece_pass(next, (size_t)n);
    next_end(next);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 4 && strcmp(argv[1], "serve") == 0) {
        tlspeer_serve(argv[2], argv[3], connection_serve, argv[3]);
    } else if (argc >= 6 && strcmp(argv[1], "send") == 0) {
        send_main(argv[2], argv[3], argv[4], argv + 5);
        return 0;
    }
    fprintf(stderr, "usage: bench-copyfloor serve PEM PORT\n"
                    "       bench-copyfloor send PORT FILE COPY HOST...\n");
    return 2;
}
