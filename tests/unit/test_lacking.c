/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What slaved does for a process that lacks memory: nothing, until nobody is left who brings it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/msg.h"
#include "slaved/lacking.h"
#include "tests/unit/tap.h"

#define DEEP 240                        /* more than a thread's stack would take */
#define PATIENCE_MS 60000

/* A process with descendants, each the child of the one before. */
struct family {
    pid_t pid;
    int pidfd;
    int alive;                          /* at its end when none of them is there */
};

static struct family family_make(int depth)
{
    struct family family;
    int ends[2];
    char byte;

    if (pipe2(ends, O_CLOEXEC) < 0 || (family.pid = fork()) < 0) {
        printf("Bail out! cannot make processes: %s\n", strerror(errno));
        exit(99);
    }
    if (family.pid == 0) {
        while (depth > 0 && fork() == 0)
            depth--;
        if (depth == 0 && write(ends[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ends[1]);
    (void)!read(ends[0], &byte, 1);
    family.alive = ends[0];
    family.pidfd = (int)syscall(SYS_pidfd_open, family.pid, 0);
    return family;
}

static int is_gone(const struct family *family)
{
    struct pollfd end = { .fd = family->alive };

    return poll(&end, 1, PATIENCE_MS) == 1 && end.revents & POLLHUP;
}

static int is_there(const struct family *family)
{
    struct pollfd end = { .fd = family->pidfd, .events = POLLIN };

    return poll(&end, 1, 0) == 0;
}

/* What slaved does with a P_LACK; *error of that. The end of the socket that is ours. */
static int lack(const struct family *family, unsigned count, int *error)
{
    const lack_arg who = { .pid = family->pid, .task = family->pid };
    struct frame_header header = { .kind = K_EVENT, .proc = P_LACK };
    int pair[2], fds[3];
    uint8_t *frame;
    size_t len;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
        frame_build(&header, FRAME_XDR(lack_arg), &who, &frame, &len) < 0) {
        printf("Bail out! cannot make a message: %s\n", strerror(errno));
        exit(99);
    }
    fds[0] = pair[1];
    fds[1] = fcntl(family->pidfd, F_DUPFD_CLOEXEC, 0);
    /* None of a process of ours, but then it is never over. */
    fds[2] = open("/dev/null", O_RDWR | O_CLOEXEC);
    header.nfds = count;
    header.body_len = (uint32_t)(len - FRAME_PREFIX);
    *error = lacking_new(&header, frame + FRAME_PREFIX, fds);
    free(frame);
    for (unsigned i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return pair[0];
}

static int lack_known(const struct family *family)
{
    int error, sock = lack(family, 3, &error);

    is_int(error, 0, "slaved takes it");
    is_int(msg_answer(sock, P_LACK, NULL, NULL, 0, NULL, 0), 0, "and says that it may run");
    return sock;
}

static void over_is_over(void)
{
    struct family family = family_make(1);
    int sock = lack_known(&family), null = open("/dev/null", O_RDWR | O_CLOEXEC);

    is_int(msg_send(sock, K_EVENT, P_LACK_FORKED, 0, 0, NULL, NULL, &null, 1), 0,
           "it hears of a child's memory");
    is_int(msg_call(sock, P_LACK_OVER, NULL, NULL, NULL, 0, NULL, NULL, 0, NULL, 0), 0,
           "and that all is there");
    ok(recv(sock, &(char){ 0 }, 1, 0) == 0, "it has let go of everything");
    ok(is_there(&family), "the process runs on");
    close(sock);
    close(null);
    close(lack_known(&family));
    ok(is_gone(&family), "until its memory is lacking again, and lost");
}

static void end_is_the_end(void)
{
    struct family family = family_make(DEEP);
    int sock = lack_known(&family);

    ok(is_there(&family), "it runs");
    close(sock);
    ok(is_gone(&family), "its end takes the process along, and %d descendants", DEEP);
}

static void packet_is_checked(void)
{
    struct family family = family_make(0);
    int error, sock = lack(&family, 2, &error);

    is_int(error, -EPROTO, "with a descriptor less it is no message");
    ok(is_there(&family), "and nothing happens to the process");
    kill(family.pid, SIGKILL);
    close(sock);
}

int main(void)
{
    signal(SIGCHLD, SIG_IGN);
    over_is_over();
    end_is_the_end();
    packet_is_checked();
    return done_testing();
}
