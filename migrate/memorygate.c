/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/memorygate.h"
#include "migrate/userfault.h"
#include "proto/msg.h"

#define DEVICE "/dev/userfaultfd"

/* Who answers, as the kernel knows it. A gate can be passed on, but to nobody else's process. */
static int peer_find(int gate, uid_t uid, pid_t *pid)
{
    union { char space[CMSG_SPACE(sizeof(struct ucred))]; struct cmsghdr align; } control;
    char byte;
    struct iovec iov = { &byte, 1 };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
                         .msg_controllen = sizeof(control.space) };
    struct cmsghdr *cmsg;
    struct ucred who;
    ssize_t n;

    do
        n = recvmsg(gate, &mh, MSG_PEEK | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : -ECONNRESET;
    cmsg = CMSG_FIRSTHDR(&mh);
    if (!cmsg || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_CREDENTIALS)
        return -EPROTO;
    memcpy(&who, CMSG_DATA(cmsg), sizeof(who));
    *pid = who.pid;
    return who.pid > 0 && who.uid == uid ? 0 : -EPROTO;
}

static int answer_take(const struct msg *answer, int *fd)
{
    if (answer->header.proc != P_GATE_REACHED || answer->header.status < 0)
        return -EPROTO;
    if (answer->header.status > 0)
        return -answer->header.status;
    if (*fd < 0 || !userfault_is(*fd))
        return -EPROTO;
    return 0;
}

int memorygate_ask(int gate, uid_t uid, struct memorygate *memory)
{
    gate_msg ask = { .verdict = GATE_MEMORY };
    int device = open(DEVICE, O_RDWR | O_CLOEXEC), on = 1, off = 0, error;
    struct msg msg;

    *memory = MEMORYGATE_NONE;
    memory->whole = device >= 0;
    setsockopt(gate, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    error = msg_send(gate, K_EVENT, P_GATE, 0, 0, FRAME_XDR(gate_msg), &ask, &device, device >= 0);
    if (device >= 0)
        close(device);
    if (!error)
        error = peer_find(gate, uid, &memory->pid);
    setsockopt(gate, SOL_SOCKET, SO_PASSCRED, &off, sizeof(off));
    if (!error)
        error = msg_recv(gate, &msg);
    if (error)
        return error;
    memory->fd = msg_take_fd(&msg, 0);
    error = answer_take(&msg, &memory->fd);
    msg_free(&msg);
    if (!error) {
        memory->pidfd = (int)syscall(SYS_pidfd_open, memory->pid, 0);
        error = memory->pidfd < 0 ? -errno : 0;
    }
    if (error)
        memorygate_close(memory);
    return error;
}

void memorygate_close(struct memorygate *memory)
{
    fd_close(&memory->fd);
    fd_close(&memory->pidfd);
}
