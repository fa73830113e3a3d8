/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockets CASE: sockets made before bproc_rfork(), between the caller and its remote child on
 * node 0.
 */
#include "config.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/progs/prog.h"

/* A child with a pair of sockets: ends[0] is the caller's, ends[1] the child's. As fork. */
static pid_t pair_fork(int type, int ends[2])
{
    pid_t pid;

    MUST(socketpair(AF_UNIX, type, 0, ends));
    pid = fork_to(0);
    close(ends[pid == 0 ? 0 : 1]);
    return pid;
}

/* Both directions of one socket at once, then one end after the other. */
static void case_socketpair(int argc, char **argv)
{
    int ends[2];
    pid_t pid;

    (void)argc, (void)argv;
    pid = pair_fork(SOCK_STREAM, ends);
    if (pid == 0) {
        write_all(ends[1], "hello", 5);
        text_expect(ends[1], "question");
        end_expect(ends[1]);
        write_all(ends[1], "answer", 6);
        _exit(0);
    }
    text_expect(ends[0], "hello");
    write_all(ends[0], "question", 8);
    MUST(shutdown(ends[0], SHUT_WR));
    text_expect(ends[0], "answer");
    end_expect(ends[0]);
    child_expect(pid, 0);
}

/* The child ends its direction first. */
static void case_halfclose_up(int argc, char **argv)
{
    int ends[2];
    pid_t pid;

    (void)argc, (void)argv;
    pid = pair_fork(SOCK_STREAM, ends);
    if (pid == 0) {
        write_all(ends[1], "all", 3);
        MUST(shutdown(ends[1], SHUT_WR));
        text_expect(ends[1], "thanks");
        end_expect(ends[1]);
        _exit(0);
    }
    text_expect(ends[0], "all");
    end_expect(ends[0]);
    write_all(ends[0], "thanks", 6);
    close(ends[0]);
    child_expect(pid, 0);
}

static void message_expect(int fd, size_t want)
{
    static char bytes[70000];
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

    CHECK(n == (ssize_t)want, "a message of %zd bytes came, not of %zu", n, want);
    for (size_t i = 0; i < want; i++)
        CHECK(bytes[i] == (char)(want + i), "byte %zu of a message of %zu is wrong", i, want);
}

static void message_send(int fd, size_t len)
{
    static char bytes[70000];

    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(len + i);
    CHECK(send(fd, bytes, len, 0) == (ssize_t)len, "cannot send %zu bytes: %s", len,
          strerror(errno));
}

/* Each message comes as it was sent; the node sends them back. */
static void messages_talk(int type, const size_t *sizes, size_t count)
{
    int ends[2];
    pid_t pid = pair_fork(type, ends);

    if (pid == 0) {
        for (size_t i = 0; i < count; i++)
            message_expect(ends[1], sizes[i]);
        for (size_t i = 0; i < count; i++)
            message_send(ends[1], sizes[i]);
        _exit(0);
    }
    for (size_t i = 0; i < count; i++)
        message_send(ends[0], sizes[i]);
    for (size_t i = 0; i < count; i++)
        message_expect(ends[0], sizes[i]);
    if (type == SOCK_SEQPACKET)
        end_expect(ends[0]);
    child_expect(pid, 0);
}

static void case_seqpacket(int argc, char **argv)
{
    static const size_t sizes[] = { 1, 4096, 5, 60000, 2, 2, 30000 };

    (void)argc, (void)argv;
    messages_talk(SOCK_SEQPACKET, sizes, sizeof(sizes) / sizeof(sizes[0]));
}

static void case_datagram(int argc, char **argv)
{
    static const size_t sizes[] = { 1, 4096, 0, 60000, 2, 2, 30000 };

    (void)argc, (void)argv;
    messages_talk(SOCK_DGRAM, sizes, sizeof(sizes) / sizeof(sizes[0]));
}

/* A TCP connection whose other end the caller holds. */
static void tcp_make(int *near, int *far)
{
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(addr);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *near = socket(AF_INET, SOCK_STREAM, 0);
    MUST(bind(listener, (struct sockaddr *)&addr, sizeof(addr)));
    MUST(listen(listener, 1));
    MUST(getsockname(listener, (struct sockaddr *)&addr, &len));
    MUST(connect(*near, (struct sockaddr *)&addr, sizeof(addr)));
    *far = accept(listener, NULL, NULL);
    MUST(*far);
    close(listener);
}

/* Nobody is at the other end of either any more. */
static void case_tcp_ended(int argc, char **argv)
{
    struct linger reset = { .l_onoff = 1 };
    int near, far, other;
    pid_t pid;

    (void)argc, (void)argv;
    tcp_make(&near, &far);
    MUST(setsockopt(near, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)));
    close(near);
    tcp_make(&near, &other);
    MUST(shutdown(other, SHUT_WR));
    MUST(shutdown(near, SHUT_WR));
    pid = fork_to(0);
    if (pid == 0) {
        end_expect(far);
        end_expect(near);
        _exit(7);
    }
    child_expect(pid, W_EXITCODE(7, 0));
}

static void case_tcp(int argc, char **argv)
{
    int near, far;
    pid_t pid;

    (void)argc, (void)argv;
    tcp_make(&near, &far);
    pid = fork_to(0);
    if (pid == 0) {
        close(near);
        text_expect(far, "over TCP");
        write_all(far, "and back", 8);
        _exit(0);
    }
    close(far);
    write_all(near, "over TCP", 8);
    text_expect(near, "and back");
    end_expect(near);
    child_expect(pid, 0);
}

static const struct prog_case cases[] = {
    { "socketpair", case_socketpair },
    { "halfclose-up", case_halfclose_up },
    { "seqpacket", case_seqpacket },
    { "datagram", case_datagram },
    { "tcp", case_tcp },
    { "tcp-ended", case_tcp_ended },
    { NULL, NULL }
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
