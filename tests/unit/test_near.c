/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which congestion control connections have where the machine's own one paces. */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "migrate/near.h"
#include "tests/unit/tap.h"

#define DEFAULT "/proc/sys/net/ipv4/tcp_congestion_control"
#define SLOW "tc qdisc add dev lo root tbf rate 100kbit burst 2k latency 9s 2>/dev/null"

static char name[16];

static const char *control_of(int sock)
{
    socklen_t len = sizeof(name);

    memset(name, 0, sizeof(name));
    return getsockopt(sock, IPPROTO_TCP, TCP_CONGESTION, name, &len) == 0 ? name : "?";
}

/* A network of our own, where BBR is what sockets get. */
static void network_make(void)
{
    int fd;

    if (unshare(CLONE_NEWNET) < 0 || system("ip link set lo up") != 0)
        skip_all("cannot make a network");
    fd = open(DEFAULT, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "bbr", 3) != 3)
        skip_all("there is no BBR here");
    close(fd);
}

static int listener_make(struct sockaddr_in *addr)
{
    socklen_t len = sizeof(*addr);
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *addr = (struct sockaddr_in){ .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (sock < 0 || bind(sock, (struct sockaddr *)addr, len) < 0 || listen(sock, 4) < 0 ||
        getsockname(sock, (struct sockaddr *)addr, &len) < 0)
        skip_all("cannot listen");
    near_hope(sock);
    return sock;
}

static void connection_make(int listener, const struct sockaddr_in *addr, int ends[2])
{
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    near_hope(ends[0]);
    if (connect(ends[0], (const struct sockaddr *)addr, sizeof(*addr)) < 0)
        skip_all("cannot connect");
    ends[1] = accept(listener, NULL, NULL);
    for (int i = 0; i < 2; i++)
        near_settle(ends[i]);
}

/* Each packet waits for those before it. */
static int network_slow(const struct sockaddr_in *addr)
{
    static const char many[1500];
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (system(SLOW) != 0)
        return 0;
    for (int i = 0; i < 2; i++)
        (void)!sendto(sock, many, sizeof(many), 0, (const struct sockaddr *)addr, sizeof(*addr));
    close(sock);
    return 1;
}

int main(void)
{
    struct sockaddr_in addr;
    int listener, ends[2];

    network_make();
    listener = listener_make(&addr);
    connection_make(listener, &addr, ends);
    ok(strcmp(control_of(ends[0]), "bbr") != 0, "to a near peer nothing paces: %s", name);
    ok(strcmp(control_of(ends[1]), "bbr") != 0, "nor from there: %s", name);
    if (network_slow(&addr)) {
        connection_make(listener, &addr, ends);
        is_str(control_of(ends[0]), "bbr", "to a far peer it is what the machine has");
        is_str(control_of(ends[1]), "bbr", "from there, too");
    }
    return done_testing();
}
