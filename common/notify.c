/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/notify.h"

static struct sockaddr_un notify_address;
static socklen_t notify_address_len;

void notify_init(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t len = path ? strlen(path) : 0;

    if (len < 2 || len >= sizeof(notify_address.sun_path) || !strchr("/@", path[0]))
        return;
    notify_address.sun_family = AF_UNIX;
    memcpy(notify_address.sun_path, path, len);
    if (path[0] == '@')
        notify_address.sun_path[0] = '\0';
    notify_address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    unsetenv("NOTIFY_SOCKET");
}

static void word_send(const char *word)
{
    int fd;

    if (notify_address_len == 0)
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    sendto(fd, word, strlen(word), MSG_NOSIGNAL, (const struct sockaddr *)&notify_address,
           notify_address_len);
    close(fd);
}

void notify_ready(void)
{
    word_send("READY=1");
}

void notify_stopping(void)
{
    word_send("STOPPING=1");
}

void notify_reloading(void)
{
    struct timespec now;
    char word[80];

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(word, sizeof(word), "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    word_send(word);
}

void notify_status(const char *fmt, ...)
{
    char word[300] = "STATUS=";
    va_list args;

    va_start(args, fmt);
    vsnprintf(word + 7, sizeof(word) - 7, fmt, args);
    va_end(args);
    word_send(word);
}
