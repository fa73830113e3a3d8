/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "migrate/near.h"

#define NAME_MAX_LEN 16         /* the kernel's TCP_CA_NAME_MAX */
#define FAR_US 1000             /* the shortest round trip to a peer that is far */

static int control_get(int sock, char name[NAME_MAX_LEN])
{
    socklen_t len = NAME_MAX_LEN;

    memset(name, 0, NAME_MAX_LEN);
    return getsockopt(sock, IPPROTO_TCP, TCP_CONGESTION, name, &len);
}

static int control_set(int sock, const char *name)
{
    return setsockopt(sock, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
}

static int control_paces(const char *name)
{
    return strncmp(name, "bbr", 3) == 0;
}

void near_hope(int sock)
{
    char name[NAME_MAX_LEN];

    /* Every kernel has the second one. */
    if (control_get(sock, name) == 0 && control_paces(name) && control_set(sock, "cubic") < 0)
        control_set(sock, "reno");
}

static int is_near(int sock)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);

    return getsockopt(sock, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_min_rtt < FAR_US;
}

void near_settle(int sock)
{
    char name[NAME_MAX_LEN];
    int fresh;

    if (is_near(sock))
        return;
    fresh = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fresh < 0)
        return;
    if (control_get(fresh, name) == 0 && control_paces(name))
        control_set(sock, name);
    close(fresh);
}
