/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow CASE: much data, many writers, slow readers and broken pipes between the caller and its
 * remote children.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "tests/progs/prog.h"

#define RECORDS 2000
#define MIB (1024u * 1024u)

struct record {
    uint16_t len;
    uint16_t writer;
    uint32_t number;
};

static void record_write(int fd, unsigned writer, unsigned number)
{
    char bytes[PIPE_BUF];
    struct record head = { .writer = (uint16_t)writer, .number = number };

    head.len = (uint16_t)(sizeof(head) + (number * 7919u + writer * 131u) %
                                             (PIPE_BUF - sizeof(head) + 1));
    memset(bytes, (int)('a' + writer), sizeof(bytes));
    memcpy(bytes, &head, sizeof(head));
    CHECK(write(fd, bytes, head.len) == head.len, "cannot write record %u: %s", number,
          strerror(errno));
}

static void record_read(int fd, unsigned *next, unsigned writers)
{
    char bytes[PIPE_BUF];
    struct record head;

    CHECK(read_all(fd, &head, sizeof(head)) == sizeof(head), "the pipe ended early");
    CHECK(head.writer < writers && head.len >= sizeof(head) && head.len <= PIPE_BUF &&
          head.number == next[head.writer], "record %u of writer %u is torn or out of order",
          head.number, head.writer);
    next[head.writer]++;
    head.len = (uint16_t)(head.len - sizeof(head));
    CHECK(read_all(fd, bytes, head.len) == head.len, "the pipe ended early");
    for (unsigned i = 0; i < head.len; i++)
        CHECK(bytes[i] == (char)('a' + head.writer), "a record of writer %u is mixed", head.writer);
}

/* Six children on three nodes and the caller's own child write records to one pipe. */
static void case_records(int argc, char **argv)
{
    unsigned next[7] = { 0 };
    pid_t pids[7];
    int ends[2];

    (void)argc, (void)argv;
    MUST(pipe(ends));
    for (unsigned i = 0; i < 7; i++) {
        pids[i] = i < 6 ? fork_to((int)i % 3) : fork();
        if (pids[i] == 0) {
            close(ends[0]);
            for (unsigned number = 0; number < RECORDS; number++)
                record_write(ends[1], i, number);
            _exit(0);
        }
    }
    close(ends[1]);
    for (unsigned i = 0; i < 7 * RECORDS; i++)
        record_read(ends[0], next, 7);
    end_expect(ends[0]);
    for (unsigned i = 0; i < 7; i++)
        child_expect(pids[i], 0);
}

/* Writes until nothing is taken for a second; how much it was. */
static size_t fill(int fd)
{
    struct pollfd fds = { .fd = fd, .events = POLLOUT };
    char byte = 'x';
    size_t total = 0;

    MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
    while (poll(&fds, 1, 1000) > 0)
        while (write(fd, &byte, 1) == 1)
            total++;
    return total;
}

/*
 * Nobody reads the first stream: the child is held up there after some buffers' worth, but not on
 * its second, and nothing is lost.
 */
static void stall(const int first[2])
{
    char byte;
    size_t total, got = 0;
    int second[2];
    pid_t pid;

    MUST(pipe(second));
    pid = fork_to(0);
    if (pid == 0) {
        close(first[0]);
        close(second[0]);
        total = fill(first[1]);
        write_all(second[1], &total, sizeof(total));
        for (int i = 0; i < 50; i++)
            pattern_write(second[1], 5, PATTERN_CHUNK);
        _exit(0);
    }
    close(first[1]);
    close(second[1]);
    CHECK(read_all(second[0], &total, sizeof(total)) == sizeof(total), "no count came");
    CHECK(total >= 4096 && total < 8 * MIB, "%zu bytes went into a stream nobody reads", total);
    for (int i = 0; i < 50; i++)
        pattern_expect(second[0], 5, PATTERN_CHUNK);
    end_expect(second[0]);
    CHECK(waitpid(pid, NULL, WNOHANG) == 0, "the child's end was told before its output came");
    while (read(first[0], &byte, 1) == 1)
        got++;
    CHECK(got == total, "%zu bytes of %zu came", got, total);
    child_expect(pid, 0);
}

static void case_stall_pipe(int argc, char **argv)
{
    int ends[2];

    (void)argc, (void)argv;
    MUST(pipe(ends));
    stall(ends);
}

static void case_stall_socket(int argc, char **argv)
{
    int ends[2];

    (void)argc, (void)argv;
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    stall(ends);
}

/* The child does not read: the caller is held up after some buffers' worth. */
static void case_stall_down(int argc, char **argv)
{
    int ends[2], go[2];
    char byte;
    size_t total, got = 0;
    pid_t pid;

    (void)argc, (void)argv;
    MUST(pipe(ends));
    MUST(pipe(go));
    pid = fork_to(0);
    if (pid == 0) {
        close(ends[1]);
        close(go[1]);
        CHECK(read_all(go[0], &total, sizeof(total)) == sizeof(total), "no count came");
        while (read(ends[0], &byte, 1) == 1)
            got++;
        CHECK(got == total, "%zu bytes of %zu came", got, total);
        _exit(0);
    }
    close(ends[0]);
    close(go[0]);
    total = fill(ends[1]);
    CHECK(total >= 4096 && total < 8 * MIB, "%zu bytes went into a stream nobody reads", total);
    write_all(go[1], &total, sizeof(total));
    close(ends[1]);
    child_expect(pid, 0);
}

/* The caller closes its read end: the child's next writes fail. */
static void case_broken_up(int argc, char **argv)
{
    int ends[2];
    pid_t pid;

    (void)argc, (void)argv;
    MUST(pipe(ends));
    pid = fork_to(0);
    if (pid == 0) {
        close(ends[0]);
        signal(SIGPIPE, SIG_IGN);
        while (write(ends[1], "x", 1) == 1)
            usleep(1000);
        CHECK(errno == EPIPE, "the write failed with %s", strerror(errno));
        signal(SIGPIPE, SIG_DFL);
        write_all(ends[1], "x", 1);
        _exit(0);
    }
    close(ends[1]);
    text_expect(ends[0], "x");
    close(ends[0]);
    child_expect(pid, SIGPIPE);
}

/* The child ends: so does the pipe it read. */
static void case_broken_down(int argc, char **argv)
{
    double end = seconds_now() + 10;
    int ends[2];
    pid_t pid;

    (void)argc, (void)argv;
    signal(SIGPIPE, SIG_IGN);
    MUST(pipe(ends));
    pid = fork_to(0);
    if (pid == 0) {
        text_expect(ends[0], "x");
        _exit(0);
    }
    close(ends[0]);
    write_all(ends[1], "x", 1);
    child_expect(pid, 0);
    while (write(ends[1], "y", 1) == 1) {
        CHECK(seconds_now() < end, "writes go on into a pipe whose reader has ended");
        usleep(10000);
    }
    CHECK(errno == EPIPE, "the write failed with %s", strerror(errno));
}

static uint64_t volume(int argc, char **argv)
{
    return (argc > 0 ? strtoull(argv[0], NULL, 10) : 64) * MIB;
}

static void case_volume_up(int argc, char **argv)
{
    uint64_t bytes = volume(argc, argv);
    int ends[2];
    pid_t pid;

    MUST(pipe(ends));
    pid = fork_to(0);
    if (pid == 0) {
        pattern_write(ends[1], 1, bytes);
        _exit(0);
    }
    close(ends[1]);
    pattern_expect(ends[0], 1, bytes);
    end_expect(ends[0]);
    child_expect(pid, 0);
}

static void case_volume_down(int argc, char **argv)
{
    uint64_t bytes = volume(argc, argv);
    int ends[2];
    pid_t pid;

    MUST(pipe(ends));
    pid = fork_to(0);
    if (pid == 0) {
        close(ends[1]);
        pattern_expect(ends[0], 2, bytes);
        end_expect(ends[0]);
        _exit(0);
    }
    close(ends[0]);
    pattern_write(ends[1], 2, bytes);
    close(ends[1]);
    child_expect(pid, 0);
}

/* Both ways at once. */
static void case_volume_socket(int argc, char **argv)
{
    uint64_t bytes = volume(argc, argv);
    int ends[2];
    pid_t pid, reader;

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    pid = fork_to(0);
    if (pid == 0) {
        close(ends[0]);
        reader = fork();
        MUST(reader);
        if (reader == 0) {
            pattern_expect(ends[1], 3, bytes);
            _exit(0);
        }
        pattern_write(ends[1], 4, bytes);
        child_expect(reader, 0);
        _exit(0);
    }
    close(ends[1]);
    reader = fork();
    MUST(reader);
    if (reader == 0) {
        pattern_write(ends[0], 3, bytes);
        _exit(0);
    }
    pattern_expect(ends[0], 4, bytes);
    end_expect(ends[0]);
    child_expect(reader, 0);
    child_expect(pid, 0);
}

/* To standard output, which is the pipe of another child of the caller. */
static void case_volume_output(int argc, char **argv)
{
    uint64_t bytes = volume(argc, argv);
    int ends[2];
    pid_t pid, reader;

    MUST(pipe(ends));
    reader = fork();
    if (reader == 0) {
        close(ends[1]);
        pattern_expect(ends[0], 6, bytes);
        end_expect(ends[0]);
        _exit(0);
    }
    MUST(dup2(ends[1], STDOUT_FILENO));
    close(ends[0]);
    close(ends[1]);
    pid = fork_to(0);
    if (pid == 0) {
        pattern_write(STDOUT_FILENO, 6, bytes);
        _exit(0);
    }
    close(STDOUT_FILENO);
    child_expect(pid, 0);
    child_expect(reader, 0);
}

static const struct prog_case cases[] = {
    { "records", case_records },
    { "stall-pipe", case_stall_pipe },
    { "stall-socket", case_stall_socket },
    { "stall-down", case_stall_down },
    { "broken-up", case_broken_up },
    { "broken-down", case_broken_down },
    { "volume-up", case_volume_up },
    { "volume-down", case_volume_down },
    { "volume-socket", case_volume_socket },
    { "volume-output", case_volume_output },
    { NULL, NULL }
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
