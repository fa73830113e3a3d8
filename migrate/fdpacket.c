/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "migrate/fdpacket.h"

union fd_space {
    char bytes[CMSG_SPACE(sizeof(int) * FDPACKET_MAX)];
    struct cmsghdr align;
};

int fdpacket_send(int sock, const void *bytes, size_t len, const int *fds, unsigned count)
{
    struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
    union fd_space space;

    if (count > FDPACKET_MAX)
        return -EMSGSIZE;
    if (count > 0) {
        struct cmsghdr *cmsg;

        memset(&space, 0, sizeof(space));
        mh.msg_control = space.bytes;
        mh.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        cmsg = CMSG_FIRSTHDR(&mh);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * count);
    }
    while (sendmsg(sock, &mh, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static void fds_take(struct msghdr *mh, int *fds, unsigned most, unsigned *count)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(mh); cmsg; cmsg = CMSG_NXTHDR(mh, cmsg)) {
        size_t here = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < here; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
            if (*count < most)
                fds[(*count)++] = fd;
            else
                close(fd);
        }
    }
}

int fdpacket_recv(int sock, void *bytes, size_t len, int *fds, unsigned most, unsigned *count)
{
    struct iovec iov = { .iov_base = bytes, .iov_len = len };
    union fd_space space;
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = space.bytes,
                         .msg_controllen = sizeof(space.bytes) };
    ssize_t n;

    *count = 0;
    do
        n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    fds_take(&mh, fds, most, count);
    if (n == (ssize_t)len && !(mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
        return 0;
    while (*count > 0)
        close(fds[--*count]);
    return n == 0 ? -ECONNRESET : -EPROTO;
}
