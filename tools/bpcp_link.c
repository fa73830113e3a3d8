/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bpcp_end.h"
#include "tools/bpcp_link.h"

/* A child that hangs after it has connected must not hold up whoever listens. */
static const struct timeval patience = { .tv_sec = 10 };

static socklen_t address_make(struct sockaddr_un *address, const char *name)
{
    size_t len = strnlen(name, COPY_NAME_LEN);

    *address = (struct sockaddr_un) { .sun_family = AF_UNIX };
    memcpy(address->sun_path + 1, name, len);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
}

static bool peer_is_own(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

/* Its standard input is the link; does not return. */
__attribute__((noreturn))
static void child_run(int input, const copy_word *word)
{
    char name[COPY_NAME_LEN + 1] = "", pos[24];
    char *argv[] = { (char[]) { END_NAME }, (char[]) { "link" }, name, pos, NULL };
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    memcpy(name, word->name, COPY_NAME_LEN);
    snprintf(pos, sizeof(pos), "%" PRIu64, (uint64_t)word->number);
    if (dup2(input, STDIN_FILENO) == 0 && dup2(null, STDOUT_FILENO) > 0 &&
        dup2(null, STDERR_FILENO) > 0 && close_range(STDERR_FILENO + 1, ~0U, 0) == 0)
        _bproc_execmove(word->node, BPROC_IO_STDIN, "/proc/self/exe", argv, environ);
    _exit(1);
}

int link_start(struct link *link, const copy_word *word)
{
    int fds[2];

    *link = LINK_NONE;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    /* It works with less, too. */
    fcntl(fds[1], F_SETPIPE_SZ, LINK_PIPE);
    link->fd = fds[1];
    link->pos = word->number;
    link->pid = fcntl(link->fd, F_SETFL, O_NONBLOCK) == 0 ? fork() : -1;
    if (link->pid == 0)
        child_run(fds[0], word);
    close(fds[0]);
    if (link->pid > 0)
        link->child = pidfd_open(link->pid, 0);
    if (link->child >= 0)
        return 0;
    link_end(link);
    return -EAGAIN;
}

bool link_over(const struct link *link)
{
    struct pollfd event = { .fd = link->child, .events = POLLIN };

    return link->child < 0 || poll(&event, 1, 0) > 0;
}

void link_end(struct link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    if (link->child >= 0 && link_over(link))
        waitpid(link->pid, NULL, 0);
    if (link->child >= 0)
        close(link->child);
    *link = LINK_NONE;
}

/* Position and standard input in one message. */
static int stream_hand_over(int fd, uint64_t pos)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = { 0 };
    struct iovec part = { .iov_base = &pos, .iov_len = sizeof(pos) };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &(int) { STDIN_FILENO }, sizeof(int));
    return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(pos) ? 0 : -errno;
}

int link_child_main(int argc, char **argv)
{
    struct sockaddr_un address;
    char end;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (argc != 3 || fd < 0)
        return 1;
    if (connect(fd, (struct sockaddr *)&address, address_make(&address, argv[1])) < 0 ||
        !peer_is_own(fd) || stream_hand_over(fd, strtoull(argv[2], NULL, 10)) < 0)
        return 1;
    close(STDIN_FILENO);
    while (read(fd, &end, sizeof(end)) < 0 && errno == EINTR)
        ;
    return 0;
}

int listener_open(char name[COPY_NAME_LEN])
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t len = sizeof(sa_family_t);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    /* Without a name the kernel finds one that nobody could have taken before. */
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 4) < 0)
        goto fail;
    len = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        goto fail;
    memset(name, 0, COPY_NAME_LEN);
    memcpy(name, address.sun_path + 1, len - offsetof(struct sockaddr_un, sun_path) - 1);
    return fd;
fail:
    if (fd >= 0)
        close(fd);
    return -EAGAIN;
}

/* The descriptor that came with `pos`, -1 if it is not so. */
static int stream_take(int fd, uint64_t pos)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = { 0 };
    uint64_t from;
    struct iovec part = { .iov_base = &from, .iov_len = sizeof(from) };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    struct cmsghdr *rights;
    ssize_t n;
    int stream;

    do
        n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(from))
        return -1;
    rights = CMSG_FIRSTHDR(&message);
    if (!rights || rights->cmsg_type != SCM_RIGHTS || rights->cmsg_len != CMSG_LEN(sizeof(int)))
        return -1;
    memcpy(&stream, CMSG_DATA(rights), sizeof(stream));
    if (from == pos)
        return stream;
    close(stream);
    return -1;
}

int listener_accept(int listener, uint64_t pos, int *stream, int *hold)
{
    *hold = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (*hold < 0)
        return errno == EINTR || errno == ECONNABORTED ? 0 : -errno;
    setsockopt(*hold, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    *stream = peer_is_own(*hold) ? stream_take(*hold, pos) : -1;
    if (*stream >= 0)
        return 1;
    close(*hold);
    *hold = -1;
    return 0;
}
