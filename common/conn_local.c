/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/conn_io.h"

union fd_space {
    char bytes[CMSG_SPACE(sizeof(int) * BPROC_MAX_FDS)];
    struct cmsghdr align;
};

static void fds_collect(struct conn *conn, struct msghdr *mh)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
            if (conn->nfds < BPROC_MAX_FDS) {
                conn->fds[conn->nfds++] = fd;
                if (conn->held && ++*conn->held > conn->held_max)
                    conn->too_many = 1;
            } else {
                close(fd);
                conn->too_many = 1;
            }
        }
    }
    if (mh->msg_flags & MSG_CTRUNC)
        conn->too_many = 1;
}

static ssize_t local_recv(struct conn *conn, uint8_t *bytes, size_t len)
{
    union fd_space control;
    struct iovec iov = { .iov_base = bytes, .iov_len = len };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes) };
    ssize_t n;

    do
        n = recvmsg(conn->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    fds_collect(conn, &mh);
    return n;
}

static ssize_t local_send(struct conn *conn, const uint8_t *bytes, size_t len, const int *fds,
                          unsigned nfds)
{
    union fd_space control;
    struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;

    if (nfds > 0) {
        struct cmsghdr *cmsg;

        memset(&control, 0, sizeof(control));
        mh.msg_control = control.bytes;
        mh.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
        cmsg = CMSG_FIRSTHDR(&mh);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
        memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * nfds);
    }
    do
        n = sendmsg(conn->fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

const struct conn_transport conn_local_transport = { .read = local_recv, .write = local_send };
