/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * streams CASE: pipes made before bproc_rfork(), between the caller and its remote child on node 0.
 */
#include "config.h"

#include <fcntl.h>
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
