/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/memoryward.h"
#include "migrate/userfault.h"
#include "proto/msg.h"

int memoryward_forked(const struct memoryward *ward, int memory)
{
    return msg_send(ward->sock, K_EVENT, P_LACK_FORKED, 0, 0, NULL, NULL, &memory, 1);
}

/* ---- the ward ---- */

/* Slaved may have some of them twice then. */
static void memories_give(const struct memoryward *ward)
{
    struct dirent *entry;
    DIR *dir;

    /* There may be no other number left to look at them by. */
    close(ward->self);
    dir = opendir("/proc/self/fd");
    while (dir && (entry = readdir(dir))) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] != '.' && userfault_is(fd))
            memoryward_forked(ward, fd);
    }
}

__attribute__((noreturn))
static void ward_run(const struct memoryward *ward)
{
    struct pollfd self = { .fd = ward->self, .events = POLLIN };

    /* Whoever kills us with all of our group shall not have it. */
    setsid();
    prctl(PR_SET_NAME, "bproc-ward");
    while (poll(&self, 1, -1) < 0 && errno == EINTR)
        continue;
    memories_give(ward);
    _exit(0);
}

static void ward_reap(struct memoryward *ward)
{
    while (ward->pid > 0 && waitpid(ward->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    ward->pid = 0;
    fd_close(&ward->fd);
}

int memoryward_again(struct memoryward *ward)
{
    ward_reap(ward);
    ward->pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, NULL, NULL, 0);
    if (ward->pid == 0)
        ward_run(ward);
    if (ward->pid < 0)
        return -errno;
    ward->fd = (int)syscall(SYS_pidfd_open, ward->pid, 0);
    return ward->fd < 0 ? -errno : 0;
}

/* ---- slaved ---- */

static int slaved_tell(struct memoryward *ward, int server, const lack_arg *who, int process,
                       int memory)
{
    int pair[2], error;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    ward->sock = pair[0];
    error = msg_send(server, K_EVENT, P_LACK, 0, 0, FRAME_XDR(lack_arg), who,
                     (int[]){ pair[1], process, memory }, 3);
    close(pair[1]);
    return error;
}

int memoryward_start(struct memoryward *ward, int server, const lack_arg *who, int process,
                     int memory)
{
    int error = slaved_tell(ward, server, who, process, memory);

    if (error)
        return error;
    ward->self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    error = ward->self < 0 ? -errno : memoryward_again(ward);
    return error ? error : msg_answer(ward->sock, P_LACK, NULL, NULL, 0, NULL, 0);
}

void memoryward_end(struct memoryward *ward)
{
    if (ward->sock >= 0)
        msg_call(ward->sock, P_LACK_OVER, NULL, NULL, NULL, 0, NULL, NULL, 0, NULL, 0);
    if (ward->pid > 0)
        kill(ward->pid, SIGKILL);
    ward_reap(ward);
    fd_close(&ward->self);
    fd_close(&ward->sock);
}
