/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connectback CASE: remote children whose standard streams come to a port of the caller.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "tests/progs/prog.h"

#define FLAGS (BPROC_DUMP_EXEC | BPROC_DUMP_OTHER)
#define MIB (1024u * 1024u)

enum { OUT, ERR, IN, STREAMS };

/* A socket with a port of its own. */
static int port_bind(int *port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(fd);
    MUST(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
    MUST(getsockname(fd, (struct sockaddr *)&addr, &len));
    *port = ntohs(addr.sin_port);
    return fd;
}

static int port_accept(int listener)
{
    struct pollfd fds = { .fd = listener, .events = POLLIN };
    int fd;

    CHECK(poll(&fds, 1, 10000) == 1, "no connection came in ten seconds");
    fd = accept(listener, NULL, NULL);
    MUST(fd);
    return fd;
}

/* A child with its three connections in the order they came; 0 in the child. */
static pid_t child_start(int flags, int fds[STREAMS])
{
    int port, listener = port_bind(&port);
    pid_t pid;

    MUST(listen(listener, STREAMS));
    pid = fork_onto(0, flags, port);
    if (pid == 0)
        return 0;
    for (int i = 0; i < STREAMS; i++)
        fds[i] = port_accept(listener);
    close(listener);
    return pid;
}

/* Raw bytes, and each stream is what its place in the order says. */
static void case_order(int argc, char **argv)
{
    int fds[STREAMS];
    pid_t pid = child_start(FLAGS, fds);

    (void)argc, (void)argv;
    if (pid == 0) {
        write_all(STDOUT_FILENO, "output", 6);
        write_all(STDERR_FILENO, "errors", 6);
        text_expect(STDIN_FILENO, "input");
        end_expect(STDIN_FILENO);
        write_all(STDOUT_FILENO, " and on", 7);
        _exit(5);
    }
    text_expect(fds[ERR], "errors");
    text_expect(fds[OUT], "output");
    write_all(fds[IN], "input", 5);
    MUST(shutdown(fds[IN], SHUT_WR));
    text_expect(fds[OUT], " and on");
    for (int i = 0; i < STREAMS; i++)
        end_expect(fds[i]);
    child_expect(pid, W_EXITCODE(5, 0));
}

/* The streams end one by one. */
static void case_ends(int argc, char **argv)
{
    int fds[STREAMS];
    pid_t pid = child_start(FLAGS, fds);

    (void)argc, (void)argv;
    if (pid == 0) {
        close(STDOUT_FILENO);
        text_expect(STDIN_FILENO, "go on");
        write_all(STDERR_FILENO, "errors", 6);
        _exit(0);
    }
    end_expect(fds[OUT]);
    write_all(fds[IN], "go on", 5);
    text_expect(fds[ERR], "errors");
    end_expect(fds[ERR]);
    child_expect(pid, 0);
}

/* Six children on one port, told apart by the header. */
static void case_info(int argc, char **argv)
{
    int port, listener = port_bind(&port), seen[6] = { 0 };
    pid_t pids[6];

    (void)argc, (void)argv;
    MUST(listen(listener, 6 * STREAMS));
    for (int i = 0; i < 6; i++) {
        pids[i] = fork_onto(i % 3, FLAGS | BPROC_IO_SEND_INFO, port);
        if (pids[i] == 0) {
            pid_t self = getpid();

            write_all(STDOUT_FILENO, &self, sizeof(self));
            write_all(STDERR_FILENO, "errors", 6);
            end_expect(STDIN_FILENO);
            _exit(0);
        }
    }
    for (int i = 0; i < 6 * STREAMS; i++) {
        int fd = port_accept(listener), info[2], child = 0;
        pid_t self;

        CHECK(read_all(fd, info, sizeof(info)) == sizeof(info), "no header came");
        while (child < 6 && pids[child] != info[0])
            child++;
        CHECK(child < 6, "the header names pid %d", info[0]);
        CHECK(info[1] >= 0 && info[1] <= 2, "the header names descriptor %d", info[1]);
        seen[child] |= 1 << info[1];
        if (info[1] == STDOUT_FILENO)
            CHECK(read_all(fd, &self, sizeof(self)) == sizeof(self) && self == pids[child],
                  "the output is another child's");
        else if (info[1] == STDERR_FILENO)
            text_expect(fd, "errors");
        close(fd);
    }
    for (int i = 0; i < 6; i++) {
        CHECK(seen[i] == 7, "child %d has streams %#x", i, (unsigned)seen[i]);
        child_expect(pids[i], 0);
    }
}

static void failure_expect(int port, int error)
{
    pid_t pid = _bproc_rfork_io(0, FLAGS, port);

    if (pid == 0)
        _exit(0);
    CHECK(pid < 0 && errno == error, "port %d gave %d, %s", port, (int)pid,
          bproc_strerror(errno));
    CHECK(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "port %d left a child", port);
}

static void case_refused(int argc, char **argv)
{
    int port, unheard = port_bind(&port);

    (void)argc, (void)argv;
    failure_expect(port, ECONNREFUSED);
    close(unheard);
    failure_expect(-1, EINVAL);
    failure_expect(65536, EINVAL);
}

/* Accepts for as long as its parent lives, and closes at once. */
static void doorman(int listener)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0)
            close(fd);
    }
}

static void case_closes(int argc, char **argv)
{
    int port, listener = port_bind(&port);
    pid_t pid, closer;

    (void)argc, (void)argv;
    MUST(listen(listener, STREAMS));
    closer = fork();
    if (closer == 0)
        doorman(listener);
    pid = fork_onto(0, FLAGS, port);
    if (pid == 0) {
        char byte;

        if (read(STDIN_FILENO, &byte, 1) > 0)
            _exit(1);
        for (;;) {
            if (write(STDOUT_FILENO, "x", 1) < 0)
                _exit(2);
            usleep(1000);
        }
    }
    child_expect(pid, SIGPIPE);
    kill(closer, SIGKILL);
    child_expect(closer, SIGKILL);
}

/* Nobody reads standard output: errors come all the same. */
static void case_stall(int argc, char **argv)
{
    int fds[STREAMS];
    pid_t pid = child_start(FLAGS, fds);

    (void)argc, (void)argv;
    if (pid == 0) {
        if (fork() == 0) {
            pattern_write(STDOUT_FILENO, 1, 32 * MIB);
            _exit(0);
        }
        pattern_write(STDERR_FILENO, 2, 8 * MIB);
        _exit(0);
    }
    pattern_expect(fds[ERR], 2, 8 * MIB);
    pattern_expect(fds[OUT], 1, 32 * MIB);
    end_expect(fds[OUT]);
    child_expect(pid, 0);
}

/* A pipe from before the fork goes beside the port. */
static void case_pipe(int argc, char **argv)
{
    int fds[STREAMS], ends[2];
    pid_t pid;

    (void)argc, (void)argv;
    MUST(pipe(ends));
    pid = child_start(FLAGS, fds);
    if (pid == 0) {
        write_all(ends[1], "pipe", 4);
        write_all(STDOUT_FILENO, "port", 4);
        _exit(0);
    }
    close(ends[1]);
    text_expect(ends[0], "pipe");
    text_expect(fds[OUT], "port");
    end_expect(ends[0]);
    end_expect(fds[OUT]);
    child_expect(pid, 0);
}

/* Much goes in, comes back the other way, and beside it on standard error. */
static void case_volume(int argc, char **argv)
{
    uint64_t bytes = (argc > 0 ? strtoull(argv[0], NULL, 10) : 64) * MIB;
    int fds[STREAMS];
    pid_t pid = child_start(FLAGS, fds), writer;

    if (pid == 0) {
        static char chunk[PATTERN_CHUNK];
        ssize_t n;

        while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0)
            write_all(STDOUT_FILENO, chunk, (size_t)n);
        _exit(n != 0);
    }
    writer = fork();
    MUST(writer);
    if (writer == 0) {
        pattern_write(fds[IN], 9, bytes);
        MUST(shutdown(fds[IN], SHUT_WR));
        _exit(0);
    }
    pattern_expect(fds[OUT], 9, bytes);
    end_expect(fds[OUT]);
    child_expect(writer, 0);
    child_expect(pid, 0);
}

/* Prints from which address the connections come. */
static void case_whence(int argc, char **argv)
{
    struct sockaddr_in addr;
    socklen_t len = sizeof(addr);
    char text[INET_ADDRSTRLEN];
    int fds[STREAMS];
    pid_t pid = child_start(FLAGS, fds);

    (void)argc, (void)argv;
    if (pid == 0)
        _exit(0);
    MUST(getpeername(fds[OUT], (struct sockaddr *)&addr, &len));
    puts(inet_ntop(AF_INET, &addr.sin_addr, text, sizeof(text)));
    fflush(stdout);
    child_expect(pid, 0);
}

static const struct prog_case cases[] = {
    { "order", case_order },
    { "ends", case_ends },
    { "info", case_info },
    { "refused", case_refused },
    { "closes", case_closes },
    { "stall", case_stall },
    { "pipe", case_pipe },
    { "volume", case_volume },
    { "whence", case_whence },
    { NULL, NULL }
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
