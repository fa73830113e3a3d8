/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "tests/progs/hostile.h"

static uint64_t random_state = 1;

uint32_t random_get(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 32);
}

void random_fill(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)random_get();
}

int local_connect(void)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = BPROC_SOCKET_PATH };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(fd);
    CHECK(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "nobody at %s: %s",
          addr.sun_path, strerror(errno));
    return fd;
}

int tcp_connect(const char *addr, int port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(fd);
    CHECK(inet_pton(AF_INET, addr, &in.sin_addr) == 1, "'%s' is no address", addr);
    CHECK(connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0, "nobody at %s:%d: %s", addr, port,
          strerror(errno));
    return fd;
}

int shot_open(struct shot *shot, const struct target *target)
{
    struct timeval limit = { 2, 0 };

    shot->ssl = NULL;
    shot->fd = target->addr ? tcp_connect(target->addr, target->port) : local_connect();
    setsockopt(shot->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(shot->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (!target->ctx)
        return 1;
    shot->ssl = SSL_new(target->ctx);
    SSL_set_fd(shot->ssl, shot->fd);
    return SSL_connect(shot->ssl) == 1;
}

void shot_close(struct shot *shot)
{
    SSL_free(shot->ssl);
    close(shot->fd);
}

void shot_send(struct shot *shot, const void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        const char *rest = (const char *)bytes + done;
        int n = shot->ssl ? SSL_write(shot->ssl, rest, (int)(len - done))
                          : (int)send(shot->fd, rest, len - done, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

void shot_drain(struct shot *shot, int ms)
{
    struct pollfd fd = { .fd = shot->fd, .events = POLLIN };
    char bytes[65536];
    ssize_t n = 1;

    while (n > 0 && poll(&fd, 1, ms) > 0)
        n = recv(shot->fd, bytes, sizeof(bytes), 0);
}

SSL_CTX *context_take(const char *dir)
{
    char text[256] = "";
    SSL_CTX *ctx = strcmp(dir, "-") == 0
                       ? tls_context(NULL, 0, TLS_VERIFY_NONE, text, sizeof(text))
                       : tls_context(dir, 0, TLS_VERIFY_PEER, text, sizeof(text));

    CHECK(ctx, "no TLS: %s", text);
    return ctx;
}

size_t frame_put(uint8_t *out, uint32_t mark, uint32_t vers, uint32_t kind, uint32_t proc,
                 uint32_t nfds, size_t body_len)
{
    uint32_t words[7] = { mark ? mark : 0x80000000u | (uint32_t)(FRAME_HEADER + body_len), vers,
                          kind, proc, random_get(), 0, nfds };

    for (int i = 0; i < 7; i++)
        words[i] = htonl(words[i]);
    memcpy(out, words, sizeof(words));
    return sizeof(words) + body_len;
}
