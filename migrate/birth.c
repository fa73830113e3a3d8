/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bproc-birth PID: gives a ghost a child under a number that was given out on a node. To choose a
 * number takes a right that ghosts do not have, so this program is set-uid root.
 *
 * A ghost starts it. It asks the daemon, who must be root's, what is to be born; the daemon
 * answers only if it has told that ghost so. Then it forks: a sibling of its own, thus the ghost's
 * child, in the ghost's group and session, which gives up all rights before it executes the ghost's
 * program. Whoever else runs this gets nothing by it. Exit status: 0, or an errno.
 */
#include "config.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "migrate/ghostargs.h"
#include "proto/msg.h"

static int daemon_connect(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t len = sizeof(struct ucred);
    struct ucred listener;
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (sock < 0)
        return -errno;
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    if (connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &listener, &len) < 0)
        return -errno;
    return listener.uid == 0 ? sock : -EPERM;
}

static pid_t sibling_fork(pid_t want)
{
    struct clone_args args = { .flags = CLONE_PARENT, .set_tid_size = 1,
                               .set_tid = (uint64_t)(uintptr_t)&want };

    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static void rights_drop(void)
{
    if (setresgid(getgid(), getgid(), getgid()) < 0 ||
        setresuid(getuid(), getuid(), getuid()) < 0)
        _exit(1);
}

int main(int argc, char **argv)
{
    const char *path = getenv("BPROC_SOCKET");
    pid_msg ask = { .pid = argc == 2 ? (int)strtol(argv[1], NULL, 10) : 0 };
    ghost_fork_arg birth;
    int sock, error;
    pid_t pid;

    if (ask.pid <= 1) {
        fprintf(stderr, "usage: bproc-birth PID (a ghost runs this)\n");
        return EINVAL;
    }
    if (geteuid() != 0)
        return EPERM;
    path = path ? path : BPROC_SOCKET_PATH;
    sock = daemon_connect(path);
    if (sock < 0)
        return -sock;
    error = msg_call(sock, P_GHOST_BIRTH, FRAME_XDR(pid_msg), &ask, NULL, 0,
                     FRAME_XDR(ghost_fork_arg), &birth, sizeof(birth), NULL, 0);
    if (error)
        return error > 0 ? error : -error;
    pid = sibling_fork(ask.pid);
    if (pid == 0) {
        rights_drop();
        ghostargs_exec(&birth, path);
    }
    return pid < 0 ? errno : 0;
}
