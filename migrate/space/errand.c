/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "migrate/space/errand.h"
#include "proto/rawcall.h"

#define FD_SPACE CMSG_SPACE(sizeof(int) * BPROC_MAX_FDS)

int errand_send(int channel, const struct errand *errand, const int *fds, unsigned nfds)
{
    union { char space[FD_SPACE]; struct cmsghdr align; } control;
    struct errand sent = *errand;
    struct iovec iov = { .iov_base = &sent, .iov_len = sizeof(sent) };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
    long n;

    if (nfds > BPROC_MAX_FDS)
        return -EMSGSIZE;
    sent.nfds = nfds;
    if (nfds > 0) {
        mh.msg_control = control.space;
        mh.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
        control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int) * nfds),
                                          .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * nfds);
    }
    do
        n = RAW3(SYS_sendmsg, channel, &mh, MSG_NOSIGNAL);
    while (n == -EINTR);
    return n < 0 ? (int)n : 0;
}

int errand_recv(int channel, struct errand *errand, int *fds, unsigned *nfds)
{
    union { char space[FD_SPACE]; struct cmsghdr align; } control;
    struct iovec iov = { .iov_base = errand, .iov_len = sizeof(*errand) };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
                         .msg_controllen = sizeof(control.space) };
    long n;

    do
        n = RAW3(SYS_recvmsg, channel, &mh, MSG_CMSG_CLOEXEC);
    while (n == -EINTR);
    *nfds = 0;
    if (n < 0)
        return (int)n;
    if (mh.msg_controllen >= CMSG_LEN(0)) {
        *nfds = (unsigned)((control.align.cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(&control.align), *nfds * sizeof(int));
    }
    if (n != (long)sizeof(*errand))
        return -ECONNRESET;
    return *nfds == errand->nfds ? 0 : -EMFILE;
}

int report_send(int channel, const struct report *report)
{
    long n;

    do
        n = raw_call(SYS_sendto, channel, (long)report, sizeof(*report), MSG_NOSIGNAL, 0, 0);
    while (n == -EINTR);
    return n < 0 ? (int)n : 0;
}

/*
 * Who ends with an errand unread resets the channel, which the kernel says once, and before it
 * gives what has been reported.
 */
int report_recv(int channel, struct report *report)
{
    long n;

    do
        n = raw_call(SYS_recvfrom, channel, (long)report, sizeof(*report), 0, 0, 0);
    while (n == -EINTR || n == -ECONNRESET);
    if (n < 0)
        return (int)n;
    return n == (long)sizeof(*report) ? 0 : -ECONNRESET;
}
