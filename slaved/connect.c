/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "slaved/connect.h"

static struct {
    struct event *event;
    connect_fn *done;
    int fd;             /* or -errno */
} attempt;

static int address_find(const char *host, int port, struct sockaddr_in *addr)
{
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list;
    int error = getaddrinfo(host, NULL, &hints, &list);

    if (error)
        return error == EAI_SYSTEM ? -errno : -EHOSTUNREACH;
    memcpy(addr, list->ai_addr, sizeof(*addr));
    addr->sin_port = htons((uint16_t)port);
    freeaddrinfo(list);
    return 0;
}

static int source_bind(int fd, const char *source)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    const char *colon = strchr(source, ':');
    char host[INET_ADDRSTRLEN];
    int one = 1;

    if (snprintf(host, sizeof(host), "%s", source) >= (int)sizeof(host) && !colon)
        return -EINVAL;
    host[strcspn(host, ":")] = '\0';
    if (inet_pton(AF_INET, host, &addr.sin_addr) != 1)
        return -EINVAL;
    if (colon) {
        addr.sin_port = htons((uint16_t)atoi(colon + 1));
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    }
    return bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
}

static int connect_begin(const char *host, int port, const char *source)
{
    struct sockaddr_in addr;
    int one = 1;
    int error = address_find(host, port, &addr);
    int fd = error ? -1 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return error ? error : -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    error = source ? source_bind(fd, source) : 0;
    if (!error && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 && errno != EINPROGRESS)
        error = -errno;
    if (!error)
        return fd;
    close(fd);
    return error;
}

static void connect_finished(evutil_socket_t unused, short what, void *arg)
{
    connect_fn *done = attempt.done;
    int fd = attempt.fd, error = 0;
    socklen_t len = sizeof(error);

    (void)unused;
    (void)arg;
    event_free(attempt.event);
    attempt.event = NULL;
    if (fd >= 0) {
        if (!(what & EV_WRITE))
            error = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
            error = errno;
        if (error) {
            close(fd);
            fd = -error;
        }
    }
    done(fd);
}

void connect_start(struct event_base *base, const char *host, int port, const char *source,
                   int seconds, connect_fn *done)
{
    struct timeval limit = { seconds, 0 };

    connect_cancel();
    attempt.done = done;
    attempt.fd = connect_begin(host, port, source);
    if (attempt.fd < 0)
        limit.tv_sec = 0;
    attempt.event = event_new(base, attempt.fd < 0 ? -1 : attempt.fd,
                              attempt.fd < 0 ? 0 : EV_WRITE, connect_finished, NULL);
    if (attempt.event && event_add(attempt.event, &limit) == 0)
        return;
    connect_cancel();
    done(-ENOMEM);
}

void connect_cancel(void)
{
    if (!attempt.event)
        return;
    event_free(attempt.event);
    attempt.event = NULL;
    if (attempt.fd >= 0)
        close(attempt.fd);
}
