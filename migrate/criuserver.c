/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/criuready.h"
#include "migrate/criuserver.h"

#define FAILURES_MAX 3          /* starts in a row that did not take the order that waited */

static const char *program;
static int ends[2];             /* orders: read from the first, sent into the second */
static int server = -1;         /* pidfd; -1: there is none */
static struct ready_order first;    /* that waited when it was started */
static unsigned failures;

int criuserver_init(const char *criu)
{
    program = criu;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
}

int criuserver_orders(void)
{
    return ends[1];
}

int criuserver_fd(void)
{
    return server >= 0 ? server : ends[0];
}

void criuserver_leave(void)
{
    fd_close(&server);
    fd_close(&ends[0]);
}

__attribute__((noreturn))
static void server_exec(void)
{
    char number[16];
    int null = open("/dev/null", O_RDWR);

    for (int fd = 0; fd < READY_SOCKET; fd++)
        dup2(null, fd);
    if (ends[0] == READY_SOCKET)
        fcntl(READY_SOCKET, F_SETFD, 0);
    else
        dup2(ends[0], READY_SOCKET);
    close_range(READY_SOCKET + 1, ~0U, 0);
    setenv("LD_PRELOAD", READY_LIBRARY, 1);
    setenv(READY_ENV, READY_SERVER, 1);
    snprintf(number, sizeof(number), "%d", READY_SOCKET);
    execl(program, "bproc-criu", "swrk", number, (char *)NULL);
    _exit(127);
}

static void server_start(void)
{
    pid_t pid = fork();

    if (pid == 0)
        server_exec();
    if (pid > 0)
        server = (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Closing what came with an order tells whoever waits for a worker. */
static void orders_refuse(void)
{
    char bytes[sizeof(struct ready_order)];

    while (recv(ends[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        continue;
    fprintf(stderr, "bproc-mover: cannot start %s\n", program);
}

/* The next order that nobody has taken. */
static int order_peek(struct ready_order *order)
{
    return recv(ends[0], order, sizeof(*order), MSG_PEEK | MSG_DONTWAIT) == sizeof(*order);
}

void criuserver_read(void)
{
    struct ready_order order;
    int waits = order_peek(&order);

    if (server >= 0) {
        fd_close(&server);
        failures = waits && memcmp(&order, &first, sizeof(order)) == 0 ? failures + 1 : 0;
    }
    if (!waits)
        return;
    if (failures < FAILURES_MAX) {
        first = order;
        server_start();
    } else {
        failures = 0;
        orders_refuse();
    }
}
