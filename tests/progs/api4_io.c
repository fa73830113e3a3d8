/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of I/O, as a program of BProc 4 uses them. Speaks TAP. Nodes 0 and 1 must be up; the folder
 * of the first argument is another one on each node.
 */
#define BPROC_API_VERSION 4
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tap.h"

static int listener, port;
static char *no_env[] = { NULL };

static void listener_open(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    socklen_t len = sizeof(addr);

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
        listen(listener, 64) < 0 || getsockname(listener, (struct sockaddr *)&addr, &len) < 0)
        exit(2);
    port = ntohs(addr.sin_port);
}

static void io_socket(struct bproc_io_t *io, int fd, int flags)
{
    struct sockaddr_in *addr = (struct sockaddr_in *)&io->d.addr;

    memset(io, 0, sizeof(*io));
    io->fd = fd;
    io->type = BPROC_IO_SOCKET;
    io->flags = (short)flags;
    addr->sin_family = AF_INET;
    addr->sin_port = htons((uint16_t)port);
}

static void io_file(struct bproc_io_t *io, int fd, int flags, const char *name)
{
    memset(io, 0, sizeof(*io));
    io->fd = fd;
    io->type = BPROC_IO_FILE;
    io->d.file.flags = flags;
    io->d.file.mode = 0640;
    snprintf(io->d.file.name, sizeof(io->d.file.name), "%s", name);
}

static int sockets_open(struct bproc_io_t *io)
{
    for (int fd = 0; fd < 3; fd++)
        io_socket(&io[fd], fd, BPROC_IO_SEND_INFO);
    return 3;
}

static int accepted(int *info)
{
    int sock = accept(listener, NULL, NULL);

    if (sock < 0 || recv(sock, info, 2 * sizeof(*info), MSG_WAITALL) != 2 * sizeof(*info))
        exit(2);
    return sock;
}

/* One connection for each standard stream of process `pid`; by the header, in any order. */
static void accept_three(int pid, int *socks)
{
    for (int i = 0; i < 3; i++) {
        int info[2], sock = accepted(info);

        if (info[0] != pid || info[1] < 0 || info[1] > 2)
            exit(3);
        socks[info[1]] = sock;
    }
}

static const char *line_read(int sock)
{
    static char line[256];
    ssize_t n = recv(sock, line, sizeof(line) - 1, MSG_WAITALL);

    line[n > 0 ? n : 0] = '\0';
    return line;
}

static void ends_with(int pid, int want, const char *name)
{
    int status = -1;

    waitpid(pid, &status, 0);
    is_int(status, want << 8, "%s", name);
}

/* A fork that the rest of the case needs. */
static int child_made(int pid)
{
    if (pid < 0) {
        ok(0, "rfork: %s", bproc_strerror(errno));
        exit(1);
    }
    return pid;
}

/* Descriptors that are open, as bits. */
static unsigned open_fds(void)
{
    unsigned fds = 0;

    for (int fd = 0; fd < 32; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            fds |= 1u << fd;
    return fds;
}

static void child_with_sockets(int node)
{
    struct bproc_io_t io[3];
    int socks[3], pid, leftover = open("/dev/null", O_RDONLY);
    char byte;

    pid = child_made(bproc_rfork_io(node, io, sockets_open(io)));
    if (pid == 0) {
        /* Its own standard streams are connections now, and all that it has. */
        unsigned fds = open_fds();

        if (read(0, &byte, 1) != 1)
            _exit(20);
        dprintf(1, "out %c", byte);
        dprintf(2, "err %c", byte);
        _exit(fds == 7 ? 7 : 21);
    }
    close(leftover);
    accept_three(pid, socks);
    (void)!write(socks[0], "x", 1);
    is_str(line_read(socks[1]), "out x", "standard output comes over its connection");
    is_str(line_read(socks[2]), "err x", "standard error over another");
    ends_with(pid, 7, "and the child had just these");
    for (int fd = 0; fd < 3; fd++)
        close(socks[fd]);
}

static void child_with_nothing(int node)
{
    struct bproc_io_t none[1];
    int pid = child_made(_bproc_rfork_io(node, none, 0, BPROC_DUMP_EXEC | BPROC_DUMP_OTHER));

    if (pid == 0)
        _exit(open_fds() == 0 ? 9 : 22);
    ends_with(pid, 9, "an empty list: no descriptor at all");
}

static void child_with_files(int node, const char *folder)
{
    struct bproc_io_t io[2];
    int pid;
    char path[64] = "", other[200];

    snprintf(other, sizeof(other), "%s/made", folder);
    if (chdir(folder) < 0)
        exit(2);
    io_file(&io[0], 5, O_RDONLY, "name");
    io[0].d.file.offset = 2;
    io_file(&io[1], 6, O_RDWR | O_CREAT | O_TRUNC, other);
    pid = child_made(bproc_rfork_io(node, io, 2));
    if (pid == 0) {
        /* "0:node" on node 0, "m:node" on the master. */
        (void)!read(5, path, sizeof(path) - 1);
        if (strcmp(path, "node\n") != 0)
            _exit(23);
        if (write(6, "made", 4) != 4)
            _exit(24);
        _exit(open_fds() == 0x60 ? 11 : 25);
    }
    ends_with(pid, 11, "files are the node's, relative to the directory, from their offset on");
}

static void child_that_fails(int node, const char *folder)
{
    struct bproc_io_t io[1];
    char existing[200];

    io_file(&io[0], 0, O_RDONLY, "/no/such/file");
    ok(bproc_rfork_io(node, io, 1) == -1 && errno == ENOENT, "a file that is not there: %s",
       strerror(errno));
    snprintf(existing, sizeof(existing), "%s/name", folder);
    io_file(&io[0], 0, O_RDWR | O_CREAT | O_EXCL, existing);
    ok(bproc_rfork_io(node, io, 1) == -1 && errno == EEXIST, "one that should not be: %s",
       strerror(errno));
    io_socket(&io[0], 0, 0);
    ((struct sockaddr_in *)&io[0].d.addr)->sin_port = htons(1);
    ok(bproc_rfork_io(node, io, 1) == -1 && errno == ECONNREFUSED, "nobody listening: %s",
       strerror(errno));
    ok(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "no child is left");
}

/* With DELAY nobody hears of it but the process. */
static void child_with_delays(int node)
{
    struct bproc_io_t io[3];
    int pid, info[2], sock;
    char byte;

    io_file(&io[0], 3, O_RDONLY, "/no/such/file");
    io[0].flags = BPROC_IO_DELAY;
    io_socket(&io[1], 4, BPROC_IO_DELAY);
    ((struct sockaddr_in *)&io[1].d.addr)->sin_port = htons(1);
    io_socket(&io[2], 5, BPROC_IO_DELAY | BPROC_IO_SEND_INFO);
    pid = child_made(bproc_rfork_io(node, io, 3));
    if (pid == 0) {
        if (fcntl(3, F_GETFD) >= 0)
            _exit(26);
        if (fcntl(4, F_GETFD) >= 0 && read(4, &byte, 1) != 0)
            _exit(27);
        _exit(write(5, "late", 4) == 4 ? 13 : 28);
    }
    sock = accepted(info);
    ok(info[0] == pid && info[1] == 5, "a connection that is made late");
    is_str(line_read(sock), "late", "works");
    close(sock);
    ends_with(pid, 13, "what fails late is closed or at its end");
}

static void program_with_io(int node)
{
    char *argv[] = { (char *)"sh", (char *)"-c",
                     (char *)"read a; read b <&9; echo $a $b", NULL };
    struct bproc_io_t io[3];
    int pid, info[2], sock;

    io_socket(&io[0], 1, BPROC_IO_SEND_INFO);
    io_file(&io[1], 0, O_RDONLY | O_CLOEXEC, "name");
    io_file(&io[2], 9, O_RDONLY, "/etc/hostname");
    pid = fork();
    if (pid == 0) {
        bproc_rexec_io(node, io, 3, "/bin/sh", argv, no_env);
        _exit(errno);
    }
    sock = accepted(info);
    ok(info[0] == pid && info[1] == 1, "a program's output is its connection");
    ok(strstr(line_read(sock), ":node "), "the others are files");
    close(sock);
    ends_with(pid, 0, "nothing else is open");
}

static void programs_with_io(void)
{
    char *argv[] = { (char *)"sh", (char *)"-c", (char *)"cat; echo $BPROC_RANK", NULL };
    char *envp[] = { (char *)"BPROC_RANK=XXXXXXX", NULL };
    int nodes[] = { 0, BPROC_NODE_MASTER, 1 }, pids[3], info[2], sock;
    struct bproc_io_t io[2];

    io_file(&io[0], 0, O_RDONLY, "name");
    io_socket(&io[1], 1, BPROC_IO_SEND_INFO);
    is_int(bproc_vexecmove_io(3, nodes, pids, io, 2, "/bin/sh", argv, envp), 3, "three programs");
    for (int i = 0; i < 3; i++) {
        char want[64];
        int rank = 0;

        sock = accepted(info);
        while (rank < 3 && pids[rank] != info[0])
            rank++;
        snprintf(want, sizeof(want), "%c:node\n%07d\n", "0m1?"[rank], rank);
        is_str(line_read(sock), want, "one by its header");
        close(sock);
    }
    for (int i = 0; i < 3; i++)
        ends_with(pids[i], 0, "and it ends");
    io_file(&io[0], 0, O_RDONLY, "/no/such/file");
    is_int(_bproc_vexecmove_io(3, nodes, pids, io, 1, BPROC_DUMP_ALL, "/bin/sh", argv, envp), 3,
           "programs whose file is missing");
    ok(pids[0] == -ENOENT && pids[1] == -ENOENT && pids[2] == -ENOENT, "say so, each");
}

static void children_with_io(void)
{
    int nodes[] = { 0, 1 }, pids[2], info[2], result, sock;
    struct bproc_io_t io[1];

    io_socket(&io[0], 1, BPROC_IO_SEND_INFO);
    result = bproc_vrfork_io(2, nodes, pids, io, 1);
    if (result < 2) {
        dprintf(1, "%d", result);
        _exit(result);
    }
    for (int i = 0; i < 2; i++) {
        sock = accepted(info);
        is_int(atoi(line_read(sock)), info[0] == pids[1], "a child by its header");
        close(sock);
    }
    ends_with(pids[0], 0, "the first ends");
    ends_with(pids[1], 1, "and the second");
}

/* The caller is as before, on its own node as well. */
static void execs_that_fail(int node)
{
    char *argv[] = { (char *)"none", NULL };
    struct bproc_io_t io[2];
    unsigned before = open_fds();

    io_file(&io[0], 1, O_RDONLY, "/dev/null");
    io_file(&io[1], 20, O_RDONLY, "/dev/null");
    ok(bproc_rexec_io(node, io, 2, "/none", argv, no_env) == -1 && errno == ENOENT,
       "a program that is not there");
    is_int((int)open_fds(), (int)before, "leaves the descriptors as they were");
    ok(bproc_execmove_io(node, io, 2, "/none", argv, no_env) == -1 && errno == ENOENT,
       "the same for a file here");
    ok(_bproc_execmove_io(node, io, 2, 0x1000, "/bin/sh", argv, no_env) == -1 && errno == EINVAL,
       "and for flags that are none");
}

static void bad_lists(void)
{
    struct bproc_io_t io[17], bad;

    memset(io, 0, sizeof(io));
    for (int i = 0; i < 17; i++)
        io_file(&io[i], i, O_RDONLY, "/dev/null");
    ok(bproc_rfork_io(0, io, 17) == -1 && errno == EINVAL, "more than 16");
    ok(bproc_rfork_io(0, io, -2) == -1 && errno == EINVAL, "fewer than none");
    ok(bproc_rfork_io(0, NULL, 1) == -1 && errno == EFAULT, "no list");
    io[1].fd = 0;
    ok(bproc_rfork_io(0, io, 2) == -1 && errno == EINVAL, "a descriptor twice");
    bad = io[0];
    bad.fd = -1;
    ok(bproc_rfork_io(0, &bad, 1) == -1 && errno == EINVAL, "a negative descriptor");
    bad = io[0];
    bad.type = 2;
    ok(bproc_rfork_io(0, &bad, 1) == -1 && errno == EINVAL, "an unknown kind");
    bad = io[0];
    bad.flags = 4;
    ok(bproc_rfork_io(0, &bad, 1) == -1 && errno == EINVAL, "an unknown flag");
    bad = io[0];
    memset(bad.d.file.name, 'x', sizeof(bad.d.file.name));
    ok(bproc_rfork_io(0, &bad, 1) == -1 && errno == EINVAL, "a name without end");
    io_socket(&bad, 0, 0);
    bad.d.addr.sa_family = AF_UNIX;
    ok(bproc_rfork_io(0, &bad, 1) == -1 && errno == EINVAL, "an address of another kind");
    ok(_bproc_rfork_io(0, io, 1, -1) == -1 && errno == EINVAL, "unknown dump flags");
}

static void built_in(void)
{
    int pair[2], pid;

    if (pipe(pair) < 0)
        exit(2);
    fflush(stdout);
    pid = child_made(bproc_rfork_io(0, NULL, -1));
    if (pid == 0) {
        dprintf(pair[1], "pipe");
        _exit(open_fds() & (1u << pair[1]) ? 15 : 29);
    }
    close(pair[1]);
    ends_with(pid, 15, "-1: descriptors as without a list");
}

int main(int argc, char **argv)
{
    static const int nodes[] = { 0, BPROC_NODE_MASTER };

    if (argc < 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    listener_open();
    for (int i = 0; i < 2; i++) {
        diag("node %d", nodes[i]);
        child_with_sockets(nodes[i]);
        child_with_nothing(nodes[i]);
        child_with_files(nodes[i], argv[1]);
        child_that_fails(nodes[i], argv[1]);
        child_with_delays(nodes[i]);
        program_with_io(nodes[i]);
        execs_that_fail(nodes[i]);
    }
    programs_with_io();
    children_with_io();
    bad_lists();
    built_in();
    return done_testing();
}
