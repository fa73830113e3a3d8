/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-streamfloor give PEM PORT COMMAND [ARG...]
 * bench-streamfloor take PEM PORT COMMAND [ARG...]
 * bench-streamfloor fetch HOST PORT
 * bench-streamfloor send HOST PORT
 *
 * What many bytes from a pipe here into a pipe there cost at least, enciphered on the way: one
 * process on each side reads and writes, without looking at anything else, in pieces as large as a
 * pipe can be made to hold. No events, no windows, no other streams, no hurry for single bytes.
 * Each connection gets a COMMAND, whose standard output `fetch` copies to its own, or whose
 * standard input is that of `send`, which ends after the COMMAND.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/stopwatch.h"
#include "bench/tlspeer.h"

#define PIECE (256 << 10)

static char piece[PIECE];

static void pump_out(int fd, SSL *tls)
{
    ssize_t n;

    tlspeer_widen(tls, PIECE);
    fcntl(fd, F_SETPIPE_SZ, PIECE);
    while ((n = read(fd, piece, PIECE)) > 0)
        if (SSL_write(tls, piece, (int)n) != n)
            stopwatch_die("write to", "connection");
    SSL_shutdown(tls);
    if (BIO_flush(SSL_get_wbio(tls)) != 1)
        stopwatch_die("write to", "connection");
}

static void piece_write(int fd, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, piece + done, len - done);

        if (n < 0)
            stopwatch_die("write to", "pipe");
        done += (size_t)n;
    }
}

static void pump_in(SSL *tls, int fd)
{
    size_t len = 0, n;

    SSL_set_read_ahead(tls, 1);
    SSL_set_default_read_buffer_len(tls, PIECE);
    fcntl(fd, F_SETPIPE_SZ, PIECE);
    while (SSL_read_ex(tls, piece + len, PIECE - len, &n) == 1) {
        len += n;
        if (len < PIECE && SSL_has_pending(tls))
            continue;
        piece_write(fd, len);
        len = 0;
    }
    piece_write(fd, len);
}

/* The command with one of its descriptors a pipe, whose other end comes back. */
static int command_start(char **argv, int target, pid_t *pid)
{
    int fds[2], theirs = target == STDIN_FILENO ? 0 : 1;

    if (pipe2(fds, O_CLOEXEC) < 0 || (*pid = fork()) < 0)
        stopwatch_die("start", argv[0]);
    if (*pid == 0) {
        dup2(fds[theirs], target);
        execvp(argv[0], argv);
        stopwatch_die("run", argv[0]);
    }
    close(fds[theirs]);
    return fds[!theirs];
}

static void output_give(SSL *tls, void *argv)
{
    pid_t pid;

    pump_out(command_start(argv, STDOUT_FILENO, &pid), tls);
    stopwatch_wait("command", pid);
}

static void input_take(SSL *tls, void *argv)
{
    pid_t pid;
    int fd = command_start(argv, STDIN_FILENO, &pid);

    pump_in(tls, fd);
    close(fd);
    stopwatch_wait("command", pid);
}

int main(int argc, char **argv)
{
    const char *what = argc < 4 ? "" : argv[1];

    signal(SIGPIPE, SIG_IGN);
    if (argc > 4 && strcmp(what, "give") == 0)
        tlspeer_serve(argv[2], argv[3], output_give, argv + 4);
    if (argc > 4 && strcmp(what, "take") == 0)
        tlspeer_serve(argv[2], argv[3], input_take, argv + 4);
    if (argc == 4 && strcmp(what, "fetch") == 0) {
        pump_in(tlspeer_connect(argv[2], argv[3]), STDOUT_FILENO);
        return 0;
    }
    if (argc == 4 && strcmp(what, "send") == 0) {
        SSL *tls = tlspeer_connect(argv[2], argv[3]);

        pump_out(STDIN_FILENO, tls);
        /* The end of the connection is that of the command. */
        SSL_read(tls, piece, 1);
        return 0;
    }
    fprintf(stderr, "usage: bench-streamfloor give|take PEM PORT COMMAND [ARG...]\n"
                    "       bench-streamfloor fetch|send HOST PORT\n");
    return 2;
}
