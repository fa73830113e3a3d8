/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a stranger may send over a local socket: the input is pieces, each a byte that says how long
 * it is and how many descriptors come with it, then its bytes. However they are cut, a connection
 * makes messages of them or ends, hands out no more descriptors than were promised, and closes all
 * that came.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct event_base *base;
static struct conn *conn;

static void message_take(struct conn *from, const struct frame_header *header, const uint8_t *body,
                         int *fds, void *arg)
{
    volatile uint8_t last;

    (void)arg;
    if (from != conn || header->nfds > BPROC_MAX_FDS)
        abort();
    if (header->body_len > 0)
        last = body[header->body_len - 1];
    (void)last;
    for (unsigned i = 0; i < header->nfds; i++)
        if (fds[i] < 0)
            abort();
    /* Some owners pause in a message, or end the connection. */
    if (header->serial % 8 == 1)
        conn_pause(from, 1);
    else if (header->serial % 8 == 2)
        conn_close(from, "had enough");
}

static void end_take(struct conn *from, const char *reason, void *arg)
{
    (void)reason;
    (void)arg;
    if (from != conn)
        abort();
    conn = NULL;
}

static const struct conn_ops ops = { message_take, end_take, NULL };

static void piece_send(int sock, const uint8_t *bytes, size_t len, unsigned nfds)
{
    union { char space[CMSG_SPACE(sizeof(int) * 3)]; struct cmsghdr align; } control = { { 0 } };
    struct iovec iov = { (void *)(uintptr_t)bytes, len };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
    int fds[3] = { sock, sock, sock };

    if (nfds > 0) {
        mh.msg_control = control.space;
        mh.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
        CMSG_FIRSTHDR(&mh)->cmsg_level = SOL_SOCKET;
        CMSG_FIRSTHDR(&mh)->cmsg_type = SCM_RIGHTS;
        CMSG_FIRSTHDR(&mh)->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&mh)), fds, sizeof(int) * nfds);
    }
    (void)!sendmsg(sock, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The lowest number that is free: it grows with what was not closed. */
static int fds_used(void)
{
    int fd = dup(0);

    close(fd);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    int pair[2], before;

    if (!base)
        base = event_base_new();
    before = fds_used();
    if (socketpair(AF_UNIX, len % 2 ? SOCK_STREAM : SOCK_SEQPACKET, 0, pair) < 0)
        return 0;
    conn = conn_new_local(base, pair[0], &ops, NULL);
    for (size_t at = 0; at + 1 < len; ) {
        unsigned nfds = bytes[at] >> 6, turns = bytes[at] & 1;
        size_t piece = (bytes[at] & 63) + 1u;

        at++;
        if (piece > len - at)
            piece = len - at;
        piece_send(pair[1], bytes + at, piece, nfds);
        at += piece;
        if (turns)
            event_base_loop(base, EVLOOP_NONBLOCK);
    }
    close(pair[1]);
    event_base_loop(base, EVLOOP_NONBLOCK);
    if (conn)
        conn_pause(conn, 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    conn_close(conn, "over");
    event_base_loop(base, EVLOOP_NONBLOCK);
    if (fds_used() != before)
        abort();
    return 0;
}
