/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/rawcall.h"
#include "migrate/space/mounts.h"
#include "migrate/space/pidfork.h"
#include "migrate/space/rootns.h"
#include "proto/msg.h"

#define HELD 4
#define HELD_PATH "/proc/1/fd/4"
#define OWN_PATH "/proc/self/ns/mnt"
#define MAKER_SECONDS 10        /* for all mounts of a root; everybody waits meanwhile */

static bool *changed;           /* ever; everybody sees it who was forked before, too */

int rootns_init(void)
{
    int fd = open(OWN_PATH, O_RDONLY | O_CLOEXEC);

    changed = mmap(NULL, sizeof(*changed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0);
    if (fd < 0 || changed == MAP_FAILED)
        return -errno;
    if (fd != HELD && dup3(fd, HELD, O_CLOEXEC) < 0)
        return -errno;
    if (fd != HELD)
        close(fd);
    return 0;
}

/* The namespace and its root, or an errno with what it is about. */
static int made_send(int sock, const int *fds, int error, const char *what)
{
    char text[BPROC_MAX_TEXT];
    error_ret ret = { .text = text };

    snprintf(text, sizeof(text), "%s", what);
    if (error)
        return msg_send(sock, K_REPLY, P_SPACE_ROOT, 0, -error, FRAME_XDR(error_ret), &ret, NULL,
                        0);
    return msg_send(sock, K_REPLY, P_SPACE_ROOT, 0, 0, NULL, NULL, fds, 2);
}

__attribute__((noreturn))
static void maker_run(int sock, const char *root, char *const *binds, unsigned count, int node_ns)
{
    const char *what = "the node's own files";
    int fds[2] = { -1, -1 }, error = 0;

    if (setns(node_ns, CLONE_NEWNS) < 0 || unshare(CLONE_NEWNS) < 0)
        error = -errno;
    else
        error = mounts_make(root, binds, count, &what);
    if (!error) {
        fds[0] = open(OWN_PATH, O_RDONLY | O_CLOEXEC);
        fds[1] = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        error = fds[0] < 0 || fds[1] < 0 ? -errno : 0;
    }
    made_send(sock, fds, error, what);
    _exit(0);
}

static int made_take(int sock, char *what, size_t len)
{
    struct msg msg;
    error_ret ret;
    int fd, error = msg_recv_packet(sock, &msg);

    if (error)
        return error;
    error = -msg.header.status;
    if (error && frame_decode(FRAME_XDR(error_ret), msg.body, msg.header.body_len, &ret,
                              sizeof(ret)) == 0) {
        snprintf(what, len, "%s", ret.text);
        frame_free(FRAME_XDR(error_ret), &ret, sizeof(ret));
    } else if (!error && msg.header.nfds == 2) {
        fd = msg_take_fd(&msg, 0);
        error = dup3(fd, HELD, O_CLOEXEC) < 0 ? -errno : msg_take_fd(&msg, 1);
        *changed = *changed || error >= 0;
        close(fd);
    }
    msg_free(&msg);
    return error;
}

int rootns_change(const char *root, char *const *binds, unsigned count, int node_ns, char *what,
                  size_t len)
{
    const struct timeval patience = { .tv_sec = MAKER_SECONDS };
    int ends[2], result;
    pid_t pid;

    snprintf(what, len, "%s", root ? root : "/");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    pid = pidfork(0);
    if (pid == 0)
        maker_run(ends[1], root, binds, count, node_ns);
    close(ends[1]);
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    result = pid < 0 ? pid : made_take(ends[0], what, len);
    close(ends[0]);
    if (pid < 0)
        return pid;
    kill(pid, SIGKILL);
    /* What hangs in a mount may outlast even that: init reaps it some day. */
    waitpid(pid, NULL, result == -EAGAIN ? WNOHANG : 0);
    return result == -EAGAIN ? -ETIMEDOUT : result;
}

int rootns_enter(void)
{
    long fd, error;

    if (!*changed)
        return 0;
    fd = RAW4(SYS_openat, AT_FDCWD, HELD_PATH, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return (int)fd;
    error = RAW2(SYS_setns, fd, CLONE_NEWNS);
    RAW1(SYS_close, fd);
    return (int)error;
}
