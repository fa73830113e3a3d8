/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/msg.h"

#define FD_SPACE CMSG_SPACE(sizeof(int) * BPROC_MAX_FDS)

static int bytes_send(int sock, const uint8_t *bytes, size_t len, const int *fds, unsigned nfds)
{
    union { char space[FD_SPACE]; struct cmsghdr align; } control;
    size_t sent = 0;

    memset(&control, 0, sizeof(control));
    while (sent < len) {
        struct iovec iov = { .iov_base = (void *)(uintptr_t)(bytes + sent), .iov_len = len - sent };
        struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
        ssize_t n;

        if (sent == 0 && nfds > 0) {
            struct cmsghdr *cmsg;

            mh.msg_control = control.space;
            mh.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
            cmsg = CMSG_FIRSTHDR(&mh);
            cmsg->cmsg_level = SOL_SOCKET;
            cmsg->cmsg_type = SCM_RIGHTS;
            cmsg->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
            memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * nfds);
        }
        n = sendmsg(sock, &mh, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        sent += (size_t)n;
    }
    return 0;
}

int msg_send(int sock, bproc_kind kind, bproc_proc proc, uint32_t serial, int status,
             xdrproc_t encode, const void *body, const int *fds, unsigned nfds)
{
    struct frame_header header = { .kind = kind, .proc = proc, .serial = serial,
                                   .status = status, .nfds = nfds };
    uint8_t *frame;
    size_t len;
    int error;

    if (nfds > BPROC_MAX_FDS)
        return -EMSGSIZE;
    error = frame_build(&header, encode, body, &frame, &len);
    if (error)
        return error;
    error = bytes_send(sock, frame, len, fds, nfds);
    free(frame);
    return error;
}

static void fds_collect(struct msghdr *mh, int *fds, unsigned *nfds)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
            if (*nfds < BPROC_MAX_FDS)
                fds[(*nfds)++] = fd;
            else
                close(fd);
        }
    }
}

static int bytes_recv(int sock, uint8_t *bytes, size_t len, int *fds, unsigned *nfds)
{
    union { char space[FD_SPACE]; struct cmsghdr align; } control;
    size_t got = 0;

    while (got < len) {
        struct iovec iov = { .iov_base = bytes + got, .iov_len = len - got };
        struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
                             .msg_controllen = sizeof(control.space) };
        ssize_t n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        fds_collect(&mh, fds, nfds);
        if (n == 0)
            return -ECONNRESET;
        got += (size_t)n;
    }
    return 0;
}

int msg_recv(int sock, struct msg *msg)
{
    uint8_t prefix[FRAME_PREFIX];
    unsigned nfds = 0;
    int error;

    msg->body = NULL;
    error = bytes_recv(sock, prefix, sizeof(prefix), msg->fds, &nfds);
    if (!error)
        error = frame_parse_header(prefix, &msg->header);
    if (!error && msg->header.body_len > 0) {
        msg->body = malloc(msg->header.body_len);
        error = msg->body ? bytes_recv(sock, msg->body, msg->header.body_len, msg->fds, &nfds)
                          : -ENOMEM;
    }
    if (!error && msg->header.nfds != nfds)
        error = -EPROTO;
    msg->header.nfds = nfds;
    if (error)
        msg_free(msg);
    return error;
}

static ssize_t packet_length(int sock)
{
    ssize_t len;

    do
        len = recv(sock, NULL, 0, MSG_PEEK | MSG_TRUNC);
    while (len < 0 && errno == EINTR);
    if (len < 0)
        return -errno;
    return len == 0 ? -ECONNRESET : len;
}

/* The body stays where the packet came to lie; its prefix is moved out of the way. */
static int packet_split(uint8_t *packet, size_t len, struct msg *msg)
{
    int error = len < FRAME_PREFIX ? -EPROTO : frame_parse_header(packet, &msg->header);

    if (!error && msg->header.body_len != len - FRAME_PREFIX)
        error = -EPROTO;
    if (error)
        return error;
    memmove(packet, packet + FRAME_PREFIX, msg->header.body_len);
    msg->body = packet;
    return 0;
}

int msg_recv_packet(int sock, struct msg *msg)
{
    ssize_t len = packet_length(sock);
    unsigned nfds = 0;
    uint8_t *packet;
    int error;

    msg->body = NULL;
    msg->header.nfds = 0;
    if (len < 0)
        return (int)len;
    if (len > FRAME_PREFIX + BPROC_MAX_BODY)
        return -EMSGSIZE;
    packet = malloc((size_t)len);
    if (!packet)
        return -ENOMEM;
    error = bytes_recv(sock, packet, (size_t)len, msg->fds, &nfds);
    if (!error)
        error = packet_split(packet, (size_t)len, msg);
    if (!error && msg->header.nfds != nfds)
        error = -EPROTO;
    msg->header.nfds = nfds;
    if (!msg->body)
        free(packet);
    if (error)
        msg_free(msg);
    return error;
}

int msg_take_fd(struct msg *msg, unsigned index)
{
    int fd;

    if (index >= msg->header.nfds)
        return -1;
    fd = msg->fds[index];
    msg->fds[index] = -1;
    return fd;
}

void msg_free(struct msg *msg)
{
    int saved = errno;

    for (unsigned i = 0; i < msg->header.nfds; i++)
        if (msg->fds[i] >= 0)
            close(msg->fds[i]);
    free(msg->body);
    msg->body = NULL;
    msg->header.nfds = 0;
    errno = saved;
}

static int reply_failed(const struct msg *msg, char *text, size_t len)
{
    error_ret ret;

    if (text && frame_decode(FRAME_XDR(error_ret), msg->body, msg->header.body_len, &ret,
                             sizeof(ret)) == 0) {
        snprintf(text, len, "%s", ret.text);
        frame_free(FRAME_XDR(error_ret), &ret, sizeof(ret));
    }
    return -msg->header.status;
}

int msg_answer(int sock, bproc_proc proc, xdrproc_t decode, void *ret, size_t ret_size, char *text,
               size_t len)
{
    struct msg msg;
    int error;

    if (text && len)
        text[0] = '\0';
    error = msg_recv(sock, &msg);
    while (!error && msg.header.kind == K_EVENT) {
        msg_free(&msg);
        error = msg_recv(sock, &msg);
    }
    if (error)
        return error;
    if (msg.header.kind != K_REPLY || msg.header.proc != proc)
        error = -EPROTO;
    else if (msg.header.status > 0)
        error = reply_failed(&msg, text, len);
    else if (msg.header.status < 0)
        error = -EPROTO;
    else if (decode)
        error = frame_decode(decode, msg.body, msg.header.body_len, ret, ret_size);
    msg_free(&msg);
    return error;
}

int msg_call(int sock, bproc_proc proc, xdrproc_t encode, const void *arg, const int *fds,
             unsigned nfds, xdrproc_t decode, void *ret, size_t ret_size, char *text, size_t len)
{
    int error = msg_send(sock, K_CALL, proc, 1, 0, encode, arg, fds, nfds);

    return error ? error : msg_answer(sock, proc, decode, ret, ret_size, text, len);
}
