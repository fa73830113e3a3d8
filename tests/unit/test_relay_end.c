/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How streams end: what is delivered by then, and what whoever shares them sees of it. */
#include "config.h"

#include <sys/ioctl.h>
#include <sys/wait.h>

#include "tests/unit/relay_pair.h"

/* The end is over only when the data before it has been delivered. */
static void test_late_reader(bool last)
{
    static char bytes[300 * 1024];      /* more than the reader's pipe can be made to hold */
    struct pair pair;
    int process, parent;
    size_t got = 0;

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process, &parent);
    if (last)
        relay_set_direct(pair.side[NODE].relay), relay_set_last(pair.side[MASTER].relay);
    for (size_t sent = 0; sent < sizeof(bytes); pair_turn(&pair, 2)) {
        size_t left = sizeof(bytes) - sent;
        ssize_t n = write(process, bytes, left < 32768 ? left : 32768);

        sent += n > 0 ? (size_t)n : 0;
    }
    close(process);
    pair_turn(&pair, 50);
    is_int(pair.side[NODE].idle + pair.side[NODE].flushed, 0, "no end before the output is read");
    ok(pair_until(&pair, 20000, ({
        ssize_t n = read(parent, bytes, 8192);
        got += n > 0 ? (size_t)n : 0;
        pair.side[NODE].idle;
    })), "it is when the reader has come");
    while (read(parent, bytes, 1) == 1)
        got++;
    is_int(got, sizeof(bytes), "and nothing is missing");
    (void)pair_until(&pair, last ? 20000 : 20, pair.side[MASTER].over && pair.side[NODE].over);
    is_int(pair.side[MASTER].over + pair.side[NODE].over, last ? 2 : 0, "over when it may be");
    close(parent);
    pair_close(&pair);
}

static bool write_fails(int fd, int error)
{
    return write(fd, "x", 1) < 0 && errno == error;
}

static void test_broken_pipe(void)
{
    struct pair pair;
    int process[3], parent[3];

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process[0], &parent[0]);
    pair_input(&pair, 1, &process[1], &parent[1]);
    pair_socket(&pair, 2, STREAM_SOCKET, SOCK_STREAM, &process[2], &parent[2]);
    close(parent[0]);
    pair_turn(&pair, 50);
    ok(write_fails(process[0], EPIPE), "the reader's end reaches a process that writes nothing");
    close(process[1]);
    pair_turn(&pair, 50);
    ok(write_fails(parent[1], EPIPE), "the process's end reaches a parent that writes nothing");
    close(parent[2]);
    pair_turn(&pair, 50);
    ok(write_fails(process[2], EPIPE), "a socket closed at the parent is closed at the process");
    ok(pair_until(&pair, 20000, pair.side[MASTER].idle && pair.side[NODE].idle),
       "both sides are idle after that");
    close(process[0]), close(process[2]), close(parent[1]);
    pair_close(&pair);
}

/* `direct`: what is delivered need not be asked for, and nothing else may be taken for that. */
static void test_flush(bool direct)
{
    struct pair pair;
    int process, parent, waiting = 0, other_process, other_parent;
    static char bytes[300 * 1024];
    size_t sent = 0, got = 0;

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process, &parent);
    pair_output(&pair, 1, &other_process, &other_parent);
    if (direct)
        relay_set_direct(pair.side[NODE].relay);
    (void)pair_until(&pair, 20000, ({
        size_t left = sizeof(bytes) - sent;
        ssize_t n = write(process, bytes, left < 65536 ? left : 65536);
        if (n > 0)
            sent += (size_t)n;
        sent == sizeof(bytes);
    }));
    is_int(sent, sizeof(bytes), "the output is more than its pipe holds");
    /* The descriptor stays open, as with a grandchild. */
    is_int(relay_flush(pair.side[NODE].relay), 0, "a flush begins");
    is_int(relay_flush(pair.side[NODE].relay), -EALREADY, "only once");
    pair_turn(&pair, 50);
    is_int(pair.side[NODE].flushed, 0, "it is not over while the reader stalls");
    ok(pair_until(&pair, 20000, ({
        ssize_t n = pair.side[NODE].flushed ? -1 : read(parent, bytes, 8192);
        if (n > 0)
            got += (size_t)n;
        pair.side[NODE].flushed;
    })), "it ends once the reader has gone on");
    ioctl(parent, FIONREAD, &waiting);
    is_int(got + (size_t)waiting, sizeof(bytes), "and then the original has got all of it");
    ok(says(&pair, other_process, other_parent, "later"), "streams that are open go on after it");
    close(process), close(parent), close(other_process), close(other_parent);
    pair_close(&pair);
}

static void test_flush_empty(bool direct)
{
    struct pair pair;
    int process, parent;

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process, &parent);
    pair_turn(&pair, 20);
    if (direct)
        relay_set_direct(pair.side[NODE].relay);
    relay_flush(pair.side[NODE].relay);
    ok(pair_until(&pair, 20000, pair.side[NODE].flushed), "a flush with nothing to send ends");
    close(process), close(parent);
    pair_close(&pair);
}

/* Who has nothing more to say has said it all when that is delivered. */
static void test_unasked(bool direct)
{
    struct pair pair;
    int process[2], parent[2];
    char bytes[8];

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process[0], &parent[0]);
    pair_output(&pair, 1, &process[1], &parent[1]);
    if (direct)
        relay_set_direct(pair.side[NODE].relay);
    must(write(process[0], "word", 4) == 4, "write");
    close(process[0]);
    pair_turn(&pair, 50);
    is_int(pair.side[NODE].flushed, 0, "no word of a flush while a stream is open");
    close(process[1]);
    ok(pair_until(&pair, direct ? 20000 : 50, pair.side[NODE].flushed) == direct,
       "when all have ended one comes unasked, if the reader is there");
    is_int(read(parent[0], bytes, sizeof(bytes)), 4, "who has got all by then");
    is_int(relay_flush(pair.side[NODE].relay), direct ? -EALREADY : 0, "and none is begun after");
    ok(pair_until(&pair, 20000, pair.side[NODE].flushed), "it is over");
    close(parent[0]), close(parent[1]);
    pair_close(&pair);
}

/* No event tells that the process's end of a datagram socket is closed. */
static void test_datagram_end(void)
{
    struct pair pair;
    int process, parent;

    pair_open(&pair, 2);
    pair_socket(&pair, 0, STREAM_DATAGRAM, SOCK_DGRAM, &process, &parent);
    must(write(process, "last", 4) == 4, "send");
    relay_flush(pair.side[NODE].relay);
    ok(!pair_until(&pair, 1500, pair.side[NODE].idle), "a datagram socket is open at a grandchild");
    close(process);
    ok(pair_until(&pair, 20000, pair.side[MASTER].idle && pair.side[NODE].idle),
       "and over when he has gone");
    close(parent);
    pair_close(&pair);
}

/* A child of the test plays the parent: told 'w' it writes, told 'x' it lets go. */
static pid_t holder_start(int held, int *tell)
{
    int fds[2];
    pid_t pid;

    pipe_make(fds, 0);
    pid = fork();
    if (pid == 0) {
        char byte;

        close(fds[1]);
        while (read(fds[0], &byte, 1) > 0)
            if (byte == 'x')
                close(held);
            else if (write(held, "p", 1) != 1)
                _exit(1);
        _exit(0);
    }
    close(fds[0]);
    *tell = fds[1];
    return pid;
}

static void test_parent(void)
{
    struct pair pair;
    int orig[2], made[2], tell, byte = 0, waiting = 0;
    char text[4];
    pid_t pid;

    pair_open(&pair, 2);
    pipe_make(orig, 0);
    pipe_make(made, 0);
    pid = holder_start(orig[0], &tell);
    fd_nonblock(made[0]);
    is_int(relay_set_parent(pair.side[MASTER].relay, pid), 0, "the parent is known");
    is_int(relay_add(pair.side[MASTER].relay, 0, STREAM_PIPE_READ, 0, orig[0], -1), 0,
           "it shares an input");
    pair_add(&pair, NODE, 0, STREAM_PIPE_READ, -1, made[1]);
    ok(write(orig[1], "abc", 3) == 3, "there is input");
    pair_turn(&pair, 100);
    ioctl(orig[1], FIONREAD, &waiting);
    is_int(waiting, 3, "it is left to the parent while he has the pipe open");
    pair.side[NODE].wants = 2;
    is_int(read_soon(&pair, made[0], text, 3), 2, "the process gets as much as it waits for");
    pair.side[NODE].wants = 0;
    pair_turn(&pair, 100);
    ioctl(orig[1], FIONREAD, &waiting);
    is_int(waiting, 1, "and no more");
    ok(write(tell, "x", 1) == 1, "the parent closes it");
    is_int(read_soon(&pair, made[0], &byte, 1), 1, "then the process gets it");
    close(tell);
    close(orig[1]), close(made[0]);
    pair_close(&pair);
    waitpid(pid, NULL, 0);
}

/* The parent keeps a socket open that the process shuts down: his is not touched meanwhile. */
static void test_shared_shutdown(void)
{
    struct pair pair;
    int orig[2], made[2], tell;
    char byte;
    pid_t pid;

    pair_open(&pair, 2);
    sockets_make(orig, SOCK_STREAM);
    sockets_make(made, SOCK_STREAM);
    fd_nonblock(orig[1]);
    pid = holder_start(orig[0], &tell);
    relay_set_parent(pair.side[MASTER].relay, pid);
    is_int(relay_add(pair.side[MASTER].relay, 0, STREAM_SOCKET, 0, orig[0], orig[0]), 0,
           "the parent shares a socket");
    pair_add(&pair, NODE, 0, STREAM_SOCKET, made[0], made[0]);
    shutdown(made[1], SHUT_WR);
    pair_turn(&pair, 50);
    ok(write(tell, "w", 1) == 1, "he uses it after the process has shut it down");
    is_int(read_soon(&pair, orig[1], &byte, 1), 1, "and it works for him");
    ok(write(tell, "x", 1) == 1, "he closes it");
    is_int(read_soon(&pair, orig[1], &byte, 1), 0, "then it is shut down");
    close(tell);
    waitpid(pid, NULL, 0);
    close(orig[1]), close(made[1]);
    pair_close(&pair);
}

static bool has_ended(int fd)
{
    char byte;

    return read(fd, &byte, 1) == 0;
}

/* A pipe as both ends would be opened a second time for each, by somebody who carries on. */
static void test_duplex(void)
{
    struct pair pair;
    int fds[2];

    pair_open(&pair, 2);
    pipe_make(fds, O_NONBLOCK);
    is_int(relay_add(pair.side[MASTER].relay, 0, STREAM_SOCKET, STREAM_F_EAGER, fds[1], fds[1]),
           -ENOTSOCK, "only a socket is both ends of a stream");
    ok(has_ended(fds[0]), "and nothing of what was refused stays open");
    close(fds[0]);
    pair_close(&pair);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_duplex();
    test_late_reader(false);
    test_late_reader(true);
    test_broken_pipe();
    test_flush(false);
    test_flush(true);
    test_flush_empty(false);
    test_flush_empty(true);
    test_unasked(false);
    test_unasked(true);
    test_datagram_end();
    test_parent();
    test_shared_shutdown();
    return done_testing();
}
