/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process that leaves may hand over, and whose its parent is. */
#include "config.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "moves/check.h"
#include "tests/unit/tap.h"

#define USER 4711U

static int process_find(const struct caller *caller, int number, pid_t *task, pid_t *space,
                        char *text, size_t len)
{
    (void)caller, (void)text, (void)len;
    *task = number;
    *space = 0;
    return 0;
}

/* With the ids of `uid`, and says so. */
static void become(uid_t uid, int told)
{
    pid_t self = getpid();

    if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0 ||
        write(told, &self, sizeof(self)) != sizeof(self))
        _exit(1);
}

/* A parent with the ids of `uid` and his child with USER's. */
__attribute__((noreturn))
static void parent_run(uid_t uid, int told)
{
    pid_t child = fork();

    if (child == 0) {
        become(USER, told);
        for (;;)
            pause();
    }
    become(uid, told);
    waitpid(child, NULL, 0);
    _exit(0);
}

static void test_parent(uid_t uid, uid_t want, const char *name)
{
    static const struct move_ops ops = { .find = process_find };
    struct move move = { .kind = MOVE_RFORK };
    struct caller caller = { .uid = USER, .gid = USER };
    char text[200] = "";
    int told[2], error;
    pid_t ready[2], child;

    if (pipe(told) < 0)
        exit(1);
    caller.pid = fork();
    if (caller.pid == 0)
        parent_run(uid, told[1]);
    for (int i = 0; i < 2; i++)
        if (read(told[0], &ready[i], sizeof(ready[i])) != sizeof(ready[i]))
            exit(1);
    child = ready[ready[0] == caller.pid];
    move.arg.pid = child;
    error = check_task(&ops, &caller, &move, text, sizeof(text));
    is_str(text, "", "%s: his child may leave", name);
    is_int(error, 0, "%s: nothing is wrong", name);
    is_int(move.ppid, caller.pid, "%s: his number", name);
    is_int(move.puid, want, "%s: whose he is", name);
    free(move.groups);
    close(move.pidfd);
    kill(child, SIGKILL);
    waitpid(caller.pid, NULL, 0);
    close(told[0]);
    close(told[1]);
}

enum { FILE_PIPE, FILE_REGULAR, FILE_DEVICE, FILE_STREAM, FILE_DATAGRAM, FILE_PACKET, FILE_FOLDER,
       FILES };

static int file_open(int what)
{
    static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
    int pair[2] = { -1, -1 };

    if (what == FILE_REGULAR)
        return open("/proc/self/exe", O_RDONLY);
    if (what == FILE_DEVICE)
        return open("/dev/null", O_RDWR);
    if (what == FILE_FOLDER)
        return open("/", O_RDONLY);
    if (what == FILE_PIPE ? pipe(pair) : socketpair(AF_UNIX, types[what - FILE_STREAM], 0, pair))
        exit(1);
    close(pair[0]);
    return pair[1];
}

static void test_kinds(void)
{
    static const struct { stream_kind kind; const char *fits; } kinds[] = {
        { STREAM_PIPE_WRITE, "1000000" }, { STREAM_PIPE_READ, "1110000" },
        { STREAM_OUTPUT, "0110000" }, { STREAM_SOCKET, "0001000" },
        { STREAM_DATAGRAM, "0000100" }, { STREAM_SEQPACKET, "0000010" },
    };
    stream_desc streams[2] = { { .kind = STREAM_CONNECT, .port = 1 } };
    move_handover_arg arg = { .kind = MOVE_RFORK, .streams = { 2, streams } };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char fits[FILES + 1] = "", text[200] = "";

        for (int what = 0; what < FILES; what++) {
            int fds[2] = { -1, file_open(what) };

            streams[1].kind = kinds[i].kind;
            fits[what] = check_streams(&arg, fds, 2, text, sizeof(text)) ? '0' : '1';
            close(fds[1]);
        }
        is_str(fits, kinds[i].fits, "the files that stream kind %d may be", (int)kinds[i].kind);
    }
}

int main(void)
{
    test_kinds();
    if (getuid() == 0) {
        test_parent(USER, USER, "a parent that is his user's");
        test_parent(0, 0, "one that has connected before it became root's");
    } else {
        ok(true, "whose a parent is # SKIP only root can be another");
    }
    return done_testing();
}
