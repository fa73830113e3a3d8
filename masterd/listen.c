/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/log.h"
#include "masterd/link.h"
#include "masterd/listen.h"
#include "masterd/local.h"
#include "masterd/master.h"

#define BACKLOG 8192         /* the kernel cuts it down to net.core.somaxconn */
#define ACCEPTS_A_TURN 32
#define MAX_DOORS (1 + CONF_MAX_INTERFACES)
#define ADDRESS_MS 1000

struct door {
    int fd;
    int tcp;
    struct event *on_accept, *on_reopen;
    void (*welcome)(int fd);
};

static struct door doors[MAX_DOORS];
static unsigned door_count;
static int tcp_held;

static void door_reopen(evutil_socket_t fd, short what, void *arg)
{
    struct door *door = arg;

    (void)fd;
    (void)what;
    if (!door->tcp || !tcp_held)
        event_add(door->on_accept, NULL);
}

static void door_shut_a_while(struct door *door, int error)
{
    static struct log_limit limit;
    struct timeval second = { 1, 0 };

    log_limited(&limit, 3, "cannot accept connections for now: %s", strerror(error));
    event_del(door->on_accept);
    event_add(door->on_reopen, &second);
}

static void door_knock(evutil_socket_t fd, short what, void *arg)
{
    struct door *door = arg;

    (void)what;
    for (int i = 0; i < ACCEPTS_A_TURN && !(door->tcp && tcp_held); i++) {
        int guest = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (guest >= 0) {
            door->welcome(guest);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            door_shut_a_while(door, errno);
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

/* Takes fd. 0 or -errno. */
static int door_add(int fd, int tcp, void (*welcome)(int fd))
{
    struct door *door = &doors[door_count];

    if (listen(fd, BACKLOG) < 0) {
        int error = -errno;

        close(fd);
        return error;
    }
    door->fd = fd;
    door->tcp = tcp;
    door->welcome = welcome;
    door->on_accept = event_new(master.base, fd, EV_READ | EV_PERSIST, door_knock, door);
    door->on_reopen = event_new(master.base, -1, 0, door_reopen, door);
    door_count++;
    if (!door->on_accept || !door->on_reopen)
        return -ENOMEM;
    if (tcp && tcp_held)
        return 0;
    return event_add(door->on_accept, NULL) < 0 ? -ENOMEM : 0;
}

static void door_close(struct door *door)
{
    if (door->on_accept)
        event_free(door->on_accept);
    if (door->on_reopen)
        event_free(door->on_reopen);
    close(door->fd);
    memset(door, 0, sizeof(*door));
}

/* 0 when somebody listens at the path: it is not ours to take away. */
static int socket_is_stale(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int stale;

    if (fd < 0)
        return 0;
    stale = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 && errno == ECONNREFUSED;
    close(fd);
    return stale;
}

static int local_open(char *text, size_t len)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd, error = 0;
    mode_t mask;

    if (strlen(master.conf->socket) >= sizeof(addr.sun_path)) {
        snprintf(text, len, "cannot listen at %s: path too long", master.conf->socket);
        return -ENAMETOOLONG;
    }
    strcpy(addr.sun_path, master.conf->socket);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_is_stale(&addr))
        unlink(addr.sun_path);
    /* Everybody may connect; who it is the kernel tells. */
    mask = umask(0111);
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        error = -errno;
    umask(mask);
    if (error)
        fd_close(&fd);
    else
        error = door_add(fd, 0, local_accept);
    if (error)
        snprintf(text, len, "cannot listen at %s: %s", addr.sun_path, strerror(-error));
    return error;
}

static int tcp_open(uint32_t addr, char *text, size_t len)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(addr),
                              .sin_port = htons((uint16_t)master.conf->port) };
    int one = 1, error = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0)
        error = -errno;
    if (error)
        fd_close(&fd);
    else
        error = door_add(fd, 1, link_accept);
    if (error)
        snprintf(text, len, "cannot listen on port %d: %s", master.conf->port, strerror(-error));
    return error;
}

/* The first IPv4 address of an interface; NULL: of any but the loopback. 0 when there is none. */
static uint32_t interface_address(const char *name)
{
    struct ifaddrs *list;
    uint32_t addr = 0;

    if (getifaddrs(&list) < 0)
        return 0;
    for (struct ifaddrs *at = list; at && addr == 0; at = at->ifa_next) {
        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET)
            continue;
        if (name ? strcmp(name, at->ifa_name) == 0 : !(at->ifa_flags & IFF_LOOPBACK))
            addr = ntohl(((struct sockaddr_in *)at->ifa_addr)->sin_addr.s_addr);
    }
    freeifaddrs(list);
    return addr;
}

/* Each list of nodes has it, and an interface's address may change: so it is known for a moment. */
static int64_t address_until;

uint32_t listen_address(void)
{
    static uint32_t addr;
    int64_t now = master_now();

    if (now < address_until)
        return addr;
    address_until = now + ADDRESS_MS;
    addr = interface_address(master.conf->ninterfaces ? master.conf->interfaces[0] : NULL);
    if (!addr)
        addr = INADDR_LOOPBACK;
    return addr;
}

static int all_tcp_open(char *text, size_t len)
{
    int error = 0;

    if (master.conf->ninterfaces == 0)
        return tcp_open(INADDR_ANY, text, len);
    for (unsigned i = 0; !error && i < master.conf->ninterfaces; i++) {
        uint32_t addr = interface_address(master.conf->interfaces[i]);

        if (addr) {
            error = tcp_open(addr, text, len);
        } else {
            snprintf(text, len, "interface %s has no IPv4 address", master.conf->interfaces[i]);
            error = -EADDRNOTAVAIL;
        }
    }
    return error;
}

int listen_start(char *text, size_t len)
{
    int error = local_open(text, len);

    return error ? error : all_tcp_open(text, len);
}

void listen_hold(int held)
{
    tcp_held = held;
    for (unsigned i = 0; i < door_count; i++) {
        if (!doors[i].tcp)
            continue;
        if (held)
            event_del(doors[i].on_accept);
        else if (!event_pending(doors[i].on_reopen, EV_TIMEOUT, NULL))
            event_add(doors[i].on_accept, NULL);
    }
}

int listen_reload(char *text, size_t len)
{
    address_until = 0;
    while (door_count > 1)
        door_close(&doors[--door_count]);
    return all_tcp_open(text, len);
}

void listen_stop(void)
{
    while (door_count > 0)
        door_close(&doors[--door_count]);
}
