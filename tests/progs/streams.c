/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * streams CASE: pipes and sockets made before bproc_rfork(), between the caller and its remote
 * child on node 0.
 */
#include "config.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/progs/prog.h"

static void case_pipe_up(int argc, char **argv)
{
    int ends[2];
    pid_t pid;

    (void)argc, (void)argv;
    MUST(pipe(ends));
    pid = fork_to(0);
    if (pid == 0) {
        close(ends[0]);
        write_all(ends[1], "from the node", 13);
        _exit(7);
    }
    close(ends[1]);
    text_expect(ends[0], "from the node");
    end_expect(ends[0]);
    child_expect(pid, W_EXITCODE(7, 0));
}

static void case_pipe_down(int argc, char **argv)
{
    int ends[2];
    pid_t pid;

    (void)argc, (void)argv;
    MUST(pipe(ends));
    pid = fork_to(0);
    if (pid == 0) {
        close(ends[1]);
        text_expect(ends[0], "from the master");
        end_expect(ends[0]);
        _exit(7);
    }
    close(ends[0]);
    write_all(ends[1], "from the master", 15);
    close(ends[1]);
    child_expect(pid, W_EXITCODE(7, 0));
}

/* Questions and answers over two pipes, one byte of each at a time. */
static void case_dialogue(int argc, char **argv)
{
    int down[2], up[2];
    pid_t pid;
    char byte;

    (void)argc, (void)argv;
    MUST(pipe(down));
    MUST(pipe(up));
    pid = fork_to(0);
    if (pid == 0) {
        close(down[1]);
        close(up[0]);
        while (read(down[0], &byte, 1) == 1) {
            byte++;
            write_all(up[1], &byte, 1);
        }
        _exit(0);
    }
    close(down[0]);
    close(up[1]);
    for (int i = 0; i < 200; i++) {
        byte = (char)i;
        write_all(down[1], &byte, 1);
        CHECK(read(up[0], &byte, 1) == 1 && byte == (char)(i + 1), "no answer to %d", i);
    }
    close(down[1]);
    end_expect(up[0]);
    child_expect(pid, 0);
}

/* Both directions of one socket at once, then one end after the other. */
static void socketpair_talk(int type)
{
    int ends[2];
    pid_t pid;

    MUST(socketpair(AF_UNIX, type, 0, ends));
    pid = fork_to(0);
    if (pid == 0) {
        close(ends[0]);
        write_all(ends[1], "hello", 5);
        text_expect(ends[1], "question");
        end_expect(ends[1]);
        write_all(ends[1], "answer", 6);
        _exit(0);
    }
    close(ends[1]);
    text_expect(ends[0], "hello");
    write_all(ends[0], "question", 8);
    MUST(shutdown(ends[0], SHUT_WR));
    text_expect(ends[0], "answer");
    end_expect(ends[0]);
    child_expect(pid, 0);
}

static void case_socketpair(int argc, char **argv)
{
    (void)argc, (void)argv;
    socketpair_talk(SOCK_STREAM);
}

/* The child ends its direction first. */
static void case_halfclose_up(int argc, char **argv)
{
    int ends[2];
    pid_t pid;

    (void)argc, (void)argv;
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    pid = fork_to(0);
    if (pid == 0) {
        close(ends[0]);
        write_all(ends[1], "all", 3);
        MUST(shutdown(ends[1], SHUT_WR));
        text_expect(ends[1], "thanks");
        end_expect(ends[1]);
        _exit(0);
    }
    close(ends[1]);
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
    pid_t pid;

    MUST(socketpair(AF_UNIX, type, 0, ends));
    pid = fork_to(0);
    if (pid == 0) {
        close(ends[0]);
        for (size_t i = 0; i < count; i++)
            message_expect(ends[1], sizes[i]);
        for (size_t i = 0; i < count; i++)
            message_send(ends[1], sizes[i]);
        _exit(0);
    }
    close(ends[1]);
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

/* What the caller reads and writes itself while the child has the same pipe. */
static void case_own_pipe(int argc, char **argv)
{
    int own[2], done[2];
    pid_t pid;
    int got;

    (void)argc, (void)argv;
    MUST(pipe(own));
    MUST(pipe(done));
    pid = fork_to(0);
    if (pid == 0) {
        close(done[1]);
        close(own[1]);
        end_expect(done[0]);
        text_expect(own[0], "left over");
        end_expect(own[0]);
        _exit(0);
    }
    close(done[0]);
    for (int i = 0; i < 3000; i++) {
        write_all(own[1], &i, sizeof(i));
        if (i % 100 == 0)
            usleep(3000);
        CHECK(read_all(own[0], &got, sizeof(got)) == sizeof(got) && got == i,
              "number %d was stolen", i);
    }
    /* Now the child is the only reader. */
    write_all(own[1], "left over", 9);
    close(own[0]);
    close(own[1]);
    close(done[1]);
    child_expect(pid, 0);
}

/* Two descriptors of one pipe end, one of them closed by the child: no end yet. */
static void case_duplicate(int argc, char **argv)
{
    int ends[2], second;
    pid_t pid;

    (void)argc, (void)argv;
    MUST(pipe(ends));
    second = dup(ends[1]);
    pid = fork_to(0);
    if (pid == 0) {
        write_all(ends[1], "one ", 4);
        close(ends[1]);
        write_all(second, "two", 3);
        _exit(0);
    }
    close(ends[1]);
    close(second);
    text_expect(ends[0], "one two");
    end_expect(ends[0]);
    child_expect(pid, 0);
}

/* The child of the child writes on when its parent has gone. */
static void case_grandchild(int argc, char **argv)
{
    int up[2], go[2];
    pid_t pid;

    (void)argc, (void)argv;
    MUST(pipe(up));
    MUST(pipe(go));
    pid = fork_to(0);
    if (pid == 0) {
        close(go[1]);
        if (fork() == 0) {
            end_expect(go[0]);
            write_all(up[1], "grandchild", 10);
        }
        _exit(3);
    }
    close(up[1]);
    close(go[0]);
    child_expect(pid, W_EXITCODE(3, 0));
    close(go[1]);
    text_expect(up[0], "grandchild");
    end_expect(up[0]);
}

/* An epoll instance watches a pipe in the child, and the caller's own is as it was. */
static void case_epoll(int argc, char **argv)
{
    int down[2], up[2], epoll = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = 0x123456789abcdef };
    pid_t pid;

    (void)argc, (void)argv;
    MUST(pipe(down));
    MUST(pipe(up));
    MUST(epoll);
    MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, down[0], &event));
    pid = fork_to(0);
    if (pid == 0) {
        struct epoll_event got = { .events = 0 };

        close(up[0]);
        CHECK(epoll_wait(epoll, &got, 1, 0) == 0, "there is an event already");
        write_all(up[1], "ready", 5);
        CHECK(epoll_wait(epoll, &got, 1, 10000) == 1, "no event came");
        CHECK(got.events == EPOLLIN && got.data.u64 == event.data.u64, "it is another event");
        text_expect(down[0], "wake up");
        _exit(0);
    }
    close(up[1]);
    text_expect(up[0], "ready");
    CHECK(epoll_wait(epoll, &event, 1, 0) == 0, "the caller has an event");
    write_all(down[1], "for me", 6);
    CHECK(epoll_wait(epoll, &event, 1, 1000) == 1, "the caller has no event");
    text_expect(down[0], "for me");
    close(down[0]);
    write_all(down[1], "wake up", 7);
    child_expect(pid, 0);
}

/* The descriptors themselves: their flags and numbers. */
static void case_flags(int argc, char **argv)
{
    int ends[2], sock[2];
    pid_t pid;

    (void)argc, (void)argv;
    MUST(pipe2(ends, O_NONBLOCK));
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
    pid = fork_to(0);
    if (pid == 0) {
        char byte;

        CHECK(fcntl(ends[1], F_GETFL) & O_NONBLOCK, "the pipe is no longer non-blocking");
        CHECK(!(fcntl(ends[1], F_GETFD) & FD_CLOEXEC), "the pipe has become close-on-exec");
        CHECK((fcntl(ends[1], F_GETFL) & O_ACCMODE) == O_WRONLY, "the write end can be read");
        CHECK((fcntl(ends[0], F_GETFL) & O_ACCMODE) == O_RDONLY, "the read end can be written");
        CHECK(!(fcntl(sock[1], F_GETFL) & O_NONBLOCK), "the socket has become non-blocking");
        CHECK(fcntl(sock[1], F_GETFD) & FD_CLOEXEC, "the socket is no longer close-on-exec");
        CHECK(read(ends[0], &byte, 1) < 0 && errno == EAGAIN, "the read end waits or ended");
        _exit(0);
    }
    child_expect(pid, 0);
    CHECK(fcntl(ends[1], F_GETFL) & O_NONBLOCK, "the caller's pipe is no longer non-blocking");
    CHECK(!(fcntl(sock[0], F_GETFL) & O_NONBLOCK), "the caller's socket is non-blocking");
}

/* Sixty pipes, each with a word of its own. */
static void case_many(int argc, char **argv)
{
    int ends[60][2];
    char word[16];
    pid_t pid;

    (void)argc, (void)argv;
    for (int i = 0; i < 60; i++)
        MUST(pipe(ends[i]));
    pid = fork_to(0);
    if (pid == 0) {
        for (int i = 0; i < 60; i++) {
            snprintf(word, sizeof(word), "pipe %02d", i);
            write_all(ends[i][1], word, 7);
        }
        _exit(0);
    }
    for (int i = 59; i >= 0; i--) {
        close(ends[i][1]);
        snprintf(word, sizeof(word), "pipe %02d", i);
        text_expect(ends[i][0], word);
        end_expect(ends[i][0]);
    }
    child_expect(pid, 0);
}

static void case_too_many(int argc, char **argv)
{
    int ends[2];
    pid_t pid;

    (void)argc, (void)argv;
    for (int i = 0; i < 100; i++)
        MUST(pipe(ends));
    pid = bproc_rfork(0);
    if (pid == 0)
        _exit(0);
    CHECK(pid < 0 && errno == EMFILE, "200 streams gave %d, %s", (int)pid, strerror(errno));
    CHECK(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "there is a child");
    write_all(ends[1], "x", 1);
    text_expect(ends[0], "x");
}

static const struct prog_case cases[] = {
    { "pipe-up", case_pipe_up },
    { "pipe-down", case_pipe_down },
    { "dialogue", case_dialogue },
    { "socketpair", case_socketpair },
    { "halfclose-up", case_halfclose_up },
    { "seqpacket", case_seqpacket },
    { "datagram", case_datagram },
    { "tcp", case_tcp },
    { "tcp-ended", case_tcp_ended },
    { "own-pipe", case_own_pipe },
    { "duplicate", case_duplicate },
    { "grandchild", case_grandchild },
    { "epoll", case_epoll },
    { "flags", case_flags },
    { "many", case_many },
    { "too-many", case_too_many },
    { NULL, NULL }
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
