/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/relay_impl.h"

#define LOOK_SECONDS 1

struct question {
    struct nlmsghdr head;
    struct unix_diag_req req;
};

union answer {
    struct nlmsghdr head;
    char bytes[1024];
};

static ssize_t kernel_ask(const struct relay_fd *end, union answer *answer)
{
    struct question question = {
        .head = { .nlmsg_len = sizeof(question), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                  .nlmsg_flags = NLM_F_REQUEST },
        .req = { .sdiag_family = AF_UNIX, .udiag_states = ~0U,
                 .udiag_show = UDIAG_SHOW_PEER, .udiag_cookie = { ~0U, ~0U } }
    };
    struct stat st;
    int fd = fstat(end->fd, &st) < 0 ? -1 : socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
                                                   NETLINK_SOCK_DIAG);
    ssize_t n = -1;

    if (fd < 0)
        return -1;
    question.req.udiag_ino = (__u32)st.st_ino;
    if (send(fd, &question, sizeof(question), 0) == (ssize_t)sizeof(question))
        n = recv(fd, answer, sizeof(*answer), MSG_DONTWAIT);
    close(fd);
    return n;
}

/* The peer's inode, 0 if there is none; without an answer there may be one. */
static unsigned peer_inode(const struct relay_fd *end)
{
    union answer answer;
    ssize_t n = kernel_ask(end, &answer);
    struct rtattr *attr;
    unsigned inode = 0;
    int left;

    if (n < 0 || !NLMSG_OK(&answer.head, (size_t)n) ||
        answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return 1;
    attr = (struct rtattr *)(answer.bytes + NLMSG_SPACE(sizeof(struct unix_diag_msg)));
    left = (int)n - (int)NLMSG_SPACE(sizeof(struct unix_diag_msg));
    for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left))
        if (attr->rta_type == UNIX_DIAG_PEER && RTA_PAYLOAD(attr) == sizeof(inode))
            memcpy(&inode, RTA_DATA(attr), sizeof(inode));
    return inode;
}

/* True while it has to be looked at again. */
static bool peer_look(struct relay_stream *stream)
{
    if (stream->kind != STREAM_DATAGRAM || stream->source_done)
        return false;
    /* In this order: nobody is there to send more, then what was sent is read. */
    if (peer_inode(&stream->source) != 0 || stream->draining ||
        relay_fd_poll(&stream->source, POLLIN))
        return true;
    sink_break(stream);
    source_end(stream);
    return false;
}

void peer_watch(struct relay *relay)
{
    static const struct timeval delay = { .tv_sec = LOOK_SECONDS };

    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++)
        if (relay->streams[i] && relay->streams[i]->kind == STREAM_DATAGRAM)
            event_add(relay->peer_timer, &delay);
}

void peer_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct relay *relay = arg;
    bool again = false;

    (void)fd, (void)what;
    for (unsigned i = 0; i < BPROC_MAX_STREAMS; i++)
        if (relay->streams[i] && peer_look(relay->streams[i]))
            again = true;
    if (again)
        peer_watch(relay);
    link_pump(relay);
}
