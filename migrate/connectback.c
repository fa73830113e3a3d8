/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/connectback.h"

#define CONNECT_SECONDS 10

static int info_send(int sock, const stream_desc *stream, int pid)
{
    int info[2] = { pid, stream->targets.targets_len ? stream->targets.targets_val[0] : -1 };

    return send(sock, info, sizeof(info), MSG_NOSIGNAL) == sizeof(info) ? 0 : -EIO;
}

int connectback_open(const stream_desc *stream, uint32_t home, int pid)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)stream->port),
                              .sin_addr.s_addr = htonl(stream->addr ? stream->addr : home) };
    struct timeval limit = { .tv_sec = CONNECT_SECONDS }, none = { 0, 0 };
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error;

    if (sock < 0)
        return -errno;
    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    error = fd_connect(sock, (struct sockaddr *)&to, sizeof(to));
    if (!error && stream->flags & STREAM_F_INFO)
        error = info_send(sock, stream, pid);
    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
    if (error) {
        close(sock);
        return error;
    }
    return sock;
}

int connectback_ended(void)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    close(pair[1]);
    return pair[0];
}
