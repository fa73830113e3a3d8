/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "config.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tap.h"
#include "tools/bpcp_feed.h"
#include "tools/bpcp_flow.h"

#define SIZE ((size_t)2 << 20)

static unsigned char sent[SIZE], got[SIZE];

/* A feed that gets its stream from `pipe` and passes it on to `link`; -1: to nobody. */
static void feed_begin(struct feed *feed, int pipe, int link)
{
    int orders[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (pipe2(orders, O_CLOEXEC) < 0 || feed_open(feed, orders[0], null) < 0)
        perror("cannot open a feed");
    feed->chained = true;
    feed->stream = pipe;
    feed->link.fd = link;
}

/* Takes `count` bytes, moved or read in turns as `rhythm` says, and puts them to the file. */
static void bytes_take(struct feed *feed, int fd, off_t *offset, size_t count, unsigned rhythm)
{
    static char bytes[1 << 16];
    ssize_t n;

    for (unsigned turn = 0; count > 0; turn++) {
        n = rhythm == 0 || turn % rhythm != 0
                ? flow_move(feed, fd, offset, count, true) : 0;
        if (n <= 0) {
            n = feed_read(feed, bytes, count < sizeof(bytes) ? count : sizeof(bytes));
            if (n <= 0 || pwrite(fd, bytes, (size_t)n, *offset) != n)
                return;
            *offset += n;
        }
        count -= (size_t)n;
    }
}

/* Writes all of it, in pieces of up to `most` bytes, as a child. */
static pid_t writer_start(int fd, int other, unsigned most)
{
    pid_t pid = fork();
    size_t done = 0, count;

    if (pid != 0)
        return pid;
    close(other);
    for (; done < SIZE; done += count) {
        count = 1 + (size_t)random() % most;
        if (count > SIZE - done)
            count = SIZE - done;
        if (write(fd, sent + done, count) != (ssize_t)count)
            _exit(1);
    }
    _exit(0);
}

/* Reads to the end and looks whether it is all, as a child. */
static pid_t reader_start(int fd, int other, unsigned most)
{
    pid_t pid = fork();
    size_t done = 0;
    ssize_t n;

    if (pid != 0)
        return pid;
    close(other);
    while (done < SIZE && (n = read(fd, got + done, 1 + (size_t)random() % most)) > 0)
        done += (size_t)n;
    _exit(done == SIZE && memcmp(got, sent, SIZE) == 0 ? 0 : 1);
}

static int status_of(pid_t pid)
{
    int status = -1;

    waitpid(pid, &status, 0);
    return status;
}

static void stream_check(unsigned pieces, unsigned reads, int size, unsigned rhythm)
{
    int in[2], out[2], fd = memfd_create("target", MFD_CLOEXEC);
    off_t offset = 0;
    struct feed feed;
    pid_t writer, reader;

    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        perror("cannot make pipes");
    fcntl(in[1], F_SETPIPE_SZ, size);
    fcntl(out[1], F_SETPIPE_SZ, size);
    fcntl(out[1], F_SETFL, O_NONBLOCK);
    writer = writer_start(in[1], out[0], pieces);
    reader = reader_start(out[0], out[1], reads);
    close(in[1]);
    close(out[0]);
    feed_begin(&feed, in[0], out[1]);
    /* Odd lengths, as of data behind heads. */
    while (offset < (off_t)SIZE) {
        off_t before = offset;
        size_t left = SIZE - (size_t)offset;

        bytes_take(&feed, fd, &offset, left < 20 ? left : 20, 1);
        left = SIZE - (size_t)offset;
        bytes_take(&feed, fd, &offset, left < 262144 ? left : 262144, rhythm);
        if (offset == before)
            break;
    }
    feed_finish(&feed);
    feed_close(&feed);
    ok(pread(fd, got, SIZE, 0) == (ssize_t)SIZE && memcmp(got, sent, SIZE) == 0,
       "a file of pieces up to %u, by pipes of %d, every %u read", pieces, size, rhythm);
    ok(status_of(writer) == 0 && status_of(reader) == 0, "and what was passed on");
    close(fd);
}

static void lonely_check(void)
{
    int in[2], fd = memfd_create("target", MFD_CLOEXEC);
    off_t offset = 0;
    struct feed feed;
    pid_t writer;

    if (pipe2(in, O_CLOEXEC) < 0)
        perror("cannot make a pipe");
    writer = writer_start(in[1], in[0], 100000);
    close(in[1]);
    feed_begin(&feed, in[0], -1);
    bytes_take(&feed, fd, &offset, SIZE, 0);
    ok(pread(fd, got, SIZE, 0) == (ssize_t)SIZE && memcmp(got, sent, SIZE) == 0,
       "without anybody to pass it on to");
    is_int(flow_move(&feed, fd, &offset, 1, true), 0, "nothing is moved at the end");
    is_int(status_of(writer), 0, "all was written");
    feed_close(&feed);
    close(fd);
}

/* What goes to a pipe's reader cannot go to a place that takes no pages. */
static void refusal_check(void)
{
    int in[2], out[2], fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    off_t offset = 0;
    struct feed feed;
    char bytes[8] = "";

    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0 ||
        write(in[1], "content", sizeof(bytes)) != (ssize_t)sizeof(bytes))
        perror("cannot fill a pipe");
    feed_begin(&feed, in[0], out[1]);
    ok(flow_move(&feed, fd, &offset, sizeof(bytes), true) < 0, "what cannot be moved is read");
    ok(feed_read(&feed, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes) &&
       strcmp(bytes, "content") == 0, "from its beginning");
    feed_turn(&feed, false, 0);
    memset(bytes, 0, sizeof(bytes));
    ok(read(out[0], bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes) &&
       strcmp(bytes, "content") == 0, "and is passed on once");
    feed_close(&feed);
    close(in[1]);
    close(out[0]);
    close(fd);
}

int main(void)
{
    for (size_t i = 0; i < SIZE; i++)
        sent[i] = (unsigned char)random();
    stream_check(65536, 65536, 1 << 20, 0);
    stream_check(100, 65536, 4096, 0);
    stream_check(5000, 100, 8192, 3);
    stream_check(300000, 300000, 65536, 2);
    stream_check(10, 200000, 1 << 18, 7);
    lonely_check();
    refusal_check();
    return done_testing();
}
