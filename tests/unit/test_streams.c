/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which descriptors of a process lead outside of it, and what is put in their place. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/streams.h"
#include "tests/unit/tap.h"

static const int no_skip[] = { -1 };
static const struct io no_io;
static struct streams set;

/* The stream that descriptor `fd` belongs to; NULL when it is none. */
static const stream_desc *stream_of(int fd)
{
    for (unsigned i = 0; i < set.count; i++)
        for (unsigned t = 0; t < set.descs[i].targets.targets_len; t++)
            if (set.descs[i].targets.targets_val[t] == fd)
                return &set.descs[i];
    return NULL;
}

static int kind_of(int fd)
{
    const stream_desc *stream = stream_of(fd);

    return stream ? (int)stream->kind : 0;
}

static void kinds_are_known(void)
{
    int pipes[2], pair[2], packets[2], datagrams[2], lone = socket(AF_UNIX, SOCK_STREAM, 0);
    int file = open("/proc/self/exe", O_RDONLY), null = open("/dev/null", O_RDWR);
    int poller = epoll_create1(0), copy;

    if (pipe(pipes) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) < 0 ||
        socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams) < 0)
        exit(2);
    copy = dup(pipes[1]);
    is_int(streams_collect(&set, 0, &no_io, 0, no_skip), 0, "a look at all descriptors");
    is_int(kind_of(pipes[0]), STREAM_PIPE_READ, "a pipe's reading end");
    is_int(kind_of(pipes[1]), STREAM_PIPE_WRITE, "its writing end");
    ok(stream_of(copy) == stream_of(pipes[1]), "a duplicate belongs to the same stream");
    is_int(kind_of(pair[0]), STREAM_SOCKET, "a connected socket");
    is_int(kind_of(packets[0]), STREAM_SEQPACKET, "one with records");
    is_int(kind_of(datagrams[1]), STREAM_DATAGRAM, "one with datagrams");
    is_int(kind_of(lone), 0, "an unconnected socket is none");
    is_int(kind_of(file), 0, "nor is a file");
    is_int(kind_of(null), 0, "nor /dev/null");
    is_int(kind_of(poller), 0, "nor anything else");
    streams_free(&set);
    for (int fd = 3; fd < 40; fd++)
        close(fd);
}

static void standard_streams(void)
{
    int file = fileno(tmpfile()), saved[3];
    struct io io;

    for (int fd = 0; fd < 3; fd++)
        saved[fd] = fcntl(fd, F_DUPFD, 50);
    dup2(file, 0);
    dup2(file, 1);
    dup2(file, 2);
    streams_collect(&set, 0, &no_io, 0, no_skip);
    for (int fd = 0; fd < 3; fd++)
        dup2(saved[fd], fd);
    is_int(kind_of(0), 0, "standard input is not forwarded");
    is_int(kind_of(1), STREAM_OUTPUT, "standard output to a file is");
    ok(stream_of(2) == stream_of(1), "in one stream with standard error to the same file");
    streams_free(&set);
    dup2(file, 0);
    streams_collect(&set, BPROC_IO_STDIN, &no_io, 0, no_skip);
    dup2(saved[0], 0);
    ok(kind_of(0) == STREAM_PIPE_READ && (stream_of(0)->flags & STREAM_F_EAGER),
       "with BPROC_IO_STDIN standard input is forwarded as well");
    streams_free(&set);
    io_from_port(&io, 99, BPROC_IO_SEND_INFO);
    streams_collect(&set, BPROC_IO_SEND_INFO, &io, 0, no_skip);
    ok(set.count >= 3 && set.descs[0].targets.targets_val[0] == 1 &&
           set.descs[1].targets.targets_val[0] == 2 && set.descs[2].targets.targets_val[0] == 0,
       "with a port they are connections, in the manual's order");
    is_int(set.descs[0].flags, STREAM_F_OUT | STREAM_F_INFO, "that say whose they are");
    is_int(set.descs[2].port, 99, "all to that port");
    streams_free(&set);
    for (int fd = 0; fd < 3; fd++)
        close(saved[fd]);
    close(file);
}

static void some_are_left_out(void)
{
    int pipes[2], skip[2];

    if (pipe(pipes) < 0)
        exit(2);
    skip[0] = pipes[0];
    skip[1] = -1;
    fcntl(pipes[1], F_SETFD, FD_CLOEXEC);
    streams_collect(&set, 0, &no_io, 0, skip);
    ok(!stream_of(pipes[0]) && stream_of(pipes[1]), "what is ours is left out");
    streams_free(&set);
    streams_collect(&set, 0, &no_io, 1, no_skip);
    ok(stream_of(pipes[0]) && !stream_of(pipes[1]), "for an exec, what it would close");
    streams_free(&set);
    close(pipes[0]);
    close(pipes[1]);
}

static int descriptor_count(void)
{
    int count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void placeholders_are_put(void)
{
    int pipes[2], copy, before;
    struct stat first, second, input, null;

    if (pipe(pipes) < 0)
        exit(2);
    copy = dup(pipes[0]);
    fcntl(copy, F_SETFD, FD_CLOEXEC);
    before = descriptor_count();
    fflush(stdout);
    streams_collect(&set, 0, &no_io, 0, (const int[]){ 1, 2, -1 });
    is_int(streams_replace(&set, &no_io, no_skip), 0, "placeholders for all streams");
    fstat(pipes[0], &first);
    fstat(copy, &second);
    ok(S_ISSOCK(first.st_mode) && first.st_ino == second.st_ino, "one for duplicates together");
    ok(first.st_ino == stream_of(copy)->inode, "known by its inode");
    ok((fcntl(copy, F_GETFD) & FD_CLOEXEC) && !(fcntl(pipes[0], F_GETFD) & FD_CLOEXEC),
       "close-on-exec stays as it was");
    fstat(0, &input);
    stat("/dev/null", &null);
    ok(input.st_rdev == null.st_rdev && S_ISCHR(input.st_mode), "standard input is /dev/null");
    streams_free(&set);
    is_int(descriptor_count(), before, "no descriptor is left over");
    close(pipes[0]);
    close(pipes[1]);
    close(copy);
}

static void a_list_is_all(void)
{
    struct io io = { .exact = 1, .count = 2, .items = { { .fd = 7, .port = 99 },
                                                        { .fd = 8, .is_file = 1 } } };
    int pipes[2], keep = fcntl(1, F_DUPFD, 20), out = fcntl(1, F_DUPFD, 21);
    struct stat st;

    if (pipe(pipes) < 0)
        exit(2);
    fflush(stdout);
    streams_collect(&set, 0, &io, 0, no_skip);
    ok(set.count == 1 && kind_of(7) == STREAM_CONNECT, "of a list the sockets are streams");
    fflush(stdout);
    streams_replace(&set, &io, (const int[]){ keep, out, -1 });
    dup2(out, 1);
    ok(fstat(7, &st) == 0 && S_ISSOCK(st.st_mode), "they have a placeholder");
    is_int(descriptor_count(), 4, "all others are closed but those that are ours");
    streams_free(&set);
}

static void too_many(void)
{
    int before = descriptor_count(), pipes[2];

    for (int i = 0; i <= BPROC_MAX_STREAMS / 2; i++)
        if (pipe(pipes) < 0)
            exit(2);
    is_int(streams_collect(&set, 0, &no_io, 0, no_skip), -EMFILE, "more streams than can be sent");
    is_int(descriptor_count(), before + 2 * (BPROC_MAX_STREAMS / 2 + 1), "leave nothing behind");
}

int main(void)
{
    kinds_are_known();
    standard_streams();
    some_are_left_out();
    placeholders_are_put();
    too_many();
    a_list_is_all();
    return done_testing();
}
